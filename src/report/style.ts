/** The page's style sheet: light, dark and printed; wide, and as narrow as a telephone. */
export const STYLE = `
:root{color-scheme:light dark;--back:#fff;--text:#1b2330;--quiet:#5b6675;--line:#d9dee6;--card:#f5f7fa;--link:#0b5cad;
--bad:#b3261e;--bad-back:#fdecea;--good:#1d6b3c;--good-back:#e8f5ec;
--h0:#a9cdf0;--h1:#8dbbe8;--h2:#72a8de;--h3:#5894d2;--h4:#4080c3;--h5:#2d6cb1;--h6:#1f589b;--h7:#154583;--h8:#0d3369;--h9:#07224d;
--p50:#1d7a46;--p99:#c2410c;
--send:#0d9488;--queue:#d97706;--retransmission:#dc2626;--network:#9333ea;--server:#1d4ed8;--wait:#5894d2;--receive:#4d7c0f}
@media screen and (prefers-color-scheme:dark){:root{--back:#12161d;--text:#e4e8ee;--quiet:#97a3b3;--line:#2b3442;--card:#1a2029;--link:#7cb8f5;
--bad:#ff8a80;--bad-back:#3a1d1c;--good:#7fd6a0;--good-back:#17301f;
--h0:#2f66a3;--h1:#3673b3;--h2:#3f80c2;--h3:#4b8fd0;--h4:#5c9fdb;--h5:#72b0e5;--h6:#8cc1ed;--h7:#a9d2f4;--h8:#cae4f9;--h9:#f2f9fe;
--p50:#5fd38d;--p99:#ff9d5c;
--send:#2dd4bf;--queue:#fbbf24;--retransmission:#f87171;--network:#c084fc;--server:#60a5fa;--wait:#63abe6;--receive:#a3e635}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:80rem;padding:1rem 1.25rem 3rem;background:var(--back);color:var(--text);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.45rem;line-height:1.3;font-weight:500;margin:.2rem 0 1rem;max-width:60rem}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
a{color:var(--link)}
code,pre{font-family:ui-monospace,monospace;font-size:.92em}
pre{background:var(--card);padding:.7rem .9rem;border-radius:6px;overflow-x:auto}
.origin,.quiet{color:var(--quiet);margin:.2rem 0 .6rem}
.origin{font-size:.87rem;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.2rem,1fr));gap:.6rem;margin:0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem;min-width:0}
.tile dt{color:var(--quiet);font-size:.82rem}
.tile dd{margin:0}
.tile b{display:block;font-size:1.4rem;font-weight:600;line-height:1.3;overflow-wrap:anywhere}
.tile b.long{font-size:.82rem;line-height:2.22}
.tile span{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden;color:var(--quiet);font-size:.8rem;line-height:1.3;overflow-wrap:anywhere}
.tile.bad{border-color:var(--bad)}
.tile.bad b{color:var(--bad)}
.trust{padding:.5rem .8rem;border-radius:6px;margin:.8rem 0}
.trust.good{background:var(--good-back);color:var(--good)}
.trust.warn{background:var(--bad-back);color:var(--bad)}
figure{margin:.8rem 0 1.6rem}
figcaption{margin-bottom:.4rem;font-size:.9rem;overflow-wrap:anywhere}
.scale,.lines{color:var(--quiet);white-space:nowrap;margin-left:1.2rem;font-size:.85rem}
.scale svg{width:7rem;height:.7rem;vertical-align:-.05rem}
.lines .p50{border-top:2px dashed var(--p50)}
.lines .p99{border-top:2px dashed var(--p99);margin-left:.6rem}
.plot{display:grid;grid-template-columns:4.2rem 1fr}
.plot svg{display:block;width:100%;overflow:visible}
.plot svg.y,.plot svg.map{height:17rem}
.plot text{fill:var(--quiet);font-size:12px}
.plot .y text{text-anchor:end}
.plot svg.map{background:var(--card);border-bottom:1px solid var(--line);overflow:hidden;cursor:crosshair;touch-action:pan-y;shape-rendering:crispEdges}
.plot svg.x{grid-column:2;height:1.2rem}
.x .middle,.x .minor{text-anchor:middle}
.x .last{text-anchor:end}
.plot .strip{height:.75rem;margin-top:3px}
.plot svg.strip{background:var(--card);fill:var(--bad)}
.plot span.strip{color:var(--quiet);font-size:11px;line-height:.75rem;text-align:right;padding-right:6px}
.grid{stroke:var(--line);fill:none;vector-effect:non-scaling-stroke}
.map .p50Us,.map .p99Us{fill:none;stroke-width:1.5;stroke-dasharray:6 4;vector-effect:non-scaling-stroke;pointer-events:none}
.map .p50Us{stroke:var(--p50)}
.map .p99Us{stroke:var(--p99)}
.here{fill:none;stroke:var(--text);stroke-width:1.5;vector-effect:non-scaling-stroke;pointer-events:none}
${Array.from({ length: 10 }, (_, shade) => `.h${shade}{fill:var(--h${shade})}`).join("")}
#tip{position:fixed;z-index:1;white-space:pre-line;background:var(--text);color:var(--back);border-radius:6px;padding:.4rem .6rem;font-size:.82rem;line-height:1.35;pointer-events:none;max-width:calc(100vw - 16px)}
#tip[hidden]{display:none}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
thead th{color:var(--quiet);font-size:.82rem;white-space:nowrap;border-bottom-width:2px}
tbody th{font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.sortable button{all:unset;cursor:pointer}
.sortable button:focus-visible{outline:2px solid var(--link)}
th[aria-sort=descending] button::after{content:" ▾"}
th[aria-sort=ascending] button::after{content:" ▴"}
.legend{list-style:none;margin:.4rem 0 .8rem;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;font-size:.85rem;color:var(--quiet)}
.legend b{color:var(--text);font-weight:600}
.key{width:.75rem;height:.75rem;margin-right:.35rem;vertical-align:-.05rem}
${["send", "queue", "retransmission", "network", "server", "wait", "receive"].map((name) => `.p-${name}{fill:var(--${name})}`).join("")}
.slow td{padding:.4rem .6rem}
.slow .split{width:24%;min-width:9rem}
.slow .split span,.slow .who,.slow .when{font-size:.8rem;color:var(--quiet)}
.slow .who,.slow .when{font-variant-numeric:tabular-nums}
.slow .request{overflow-wrap:anywhere;min-width:8rem}
.slow .who{min-width:11rem}
.slow .why{font-size:.85rem}
.cause{font-weight:600}
.bar{display:block;width:100%;height:.75rem;margin:.25rem 0 .15rem;background:var(--card)}
.losses th,.losses td{font-size:.88rem}
.losses tbody th{white-space:nowrap}
.losses .group th{padding-top:1.1rem;font-weight:600;font-size:1rem;border-bottom-width:2px}
.grave td,.grave th{color:var(--bad)}
@media (max-width:44rem){
body{padding:.8rem .8rem 2rem}
h1{font-size:1.2rem}
.tiles{grid-template-columns:repeat(2,1fr)}
.plot{grid-template-columns:3.4rem 1fr}
.plot svg.y,.plot svg.map{height:13rem}
.plot text{font-size:11px}
.x .minor{display:none}
.scale,.lines{display:block;margin:.2rem 0 0}
.plot span.strip{font-size:9px;padding-right:4px}
.slow thead,.losses thead{position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}
.slow,.slow tbody,.slow tr,.slow td,.losses,.losses tbody,.losses tr,.losses td,.losses th{display:block;width:auto}
.slow .split{width:auto}
.slow .request,.slow .who{min-width:0}
.slow tr,.losses tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
.slow td,.losses td,.losses th{border:0;padding:.08rem 0;text-align:left}
.slow .why:empty,.losses td:empty{display:none}
.losses tr{display:grid;grid-template-columns:auto 1fr;column-gap:.6rem}
.losses td:nth-child(n+3){grid-column:1/-1}
.slow .who br,.slow .when br{display:none}
.slow .who,.slow .when{display:block}
.losses tbody th{white-space:normal}}
@media print{body{max-width:none;padding:0;font-size:11px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
figure,tr,.tile{break-inside:avoid}
h2,h3{break-after:avoid}
#tip{display:none}}
`;
