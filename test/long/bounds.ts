import type { Bound } from "./bound.ts";
import { CROWDS } from "./crowds.ts";
import { DATAGRAMS } from "./datagrams.ts";
import { HELD } from "./held.ts";
import { PIPELINES } from "./pipelines.ts";
import { VALUES } from "./values.ts";

/** All of them, in the order of the report. */
export const BOUNDS: readonly Bound[] = [...CROWDS, ...PIPELINES, ...VALUES, ...HELD, ...DATAGRAMS];
