import assert from "node:assert/strict";

/** An element of a page. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  /** Its own text and that of its children, entities decoded. */
  text: string;
}

const TAG = /^<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/;
const ENTITY = /&(amp|lt|gt|quot|#39);/g;
const CHARACTERS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** Reads a page as XML would be read: every element closed in order, every attribute quoted, every `<` and `&` an entity. */
export function parseStrictly(page: string): Element {
  assert.ok(page.startsWith("<!doctype html>\n"));
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  let at = "<!doctype html>\n".length;
  while (at < page.length) {
    const top = open.at(-1)!;
    if (page[at] !== "<") {
      const end = page.indexOf("<", at);
      addText(open, decode(page.slice(at, end < 0 ? page.length : end)));
      at = end < 0 ? page.length : end;
      continue;
    }
    const tag = TAG.exec(page.slice(at, at + 100_000));
    assert.ok(tag, `no tag: ${page.slice(at, at + 80)}`);
    const [whole, isEnd, name = "", attributes = "", isEmpty] = tag;
    at += whole.length;
    if (isEnd !== "") {
      assert.equal(name, top.name, `</${name}> closes <${top.name}>`);
      open.pop();
      continue;
    }
    const element: Element = { name, attributes: attributesIn(attributes), children: [], text: "" };
    top.children.push(element);
    if (isEmpty !== "") continue;
    open.push(element);
    if (name !== "script" && name !== "style") continue;
    // Raw text: nothing in it is markup but its end.
    const end = page.indexOf(`</${name}`, at);
    element.text = page.slice(at, end);
    at = end;
  }
  assert.equal(open.length, 1, `<${open.at(-1)!.name}> is not closed`);
  return root;
}

/** All elements within one, in order, that are of interest. */
export function elements(within: Element, isWanted: (element: Element) => boolean): Element[] {
  return within.children.flatMap((child) => [...(isWanted(child) ? [child] : []), ...elements(child, isWanted)]);
}

function addText(open: readonly Element[], text: string): void {
  for (const element of open) element.text += text;
}

function decode(text: string): string {
  assert.doesNotMatch(text.replace(ENTITY, ""), /&/);
  return text.replace(ENTITY, (_, name: string) => CHARACTERS[name]!);
}

function attributesIn(text: string): Record<string, string> {
  const all = [...text.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, decode(value)]);
  assert.equal(new Set(all.map(([name]) => name)).size, all.length, `an attribute twice: ${text}`);
  return Object.fromEntries(all) as Record<string, string>;
}
