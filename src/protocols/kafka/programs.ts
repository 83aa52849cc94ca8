import { ApiKey, COMMANDS, isFlexible, isKnownVersion, MAX_VERSION } from "./apis.ts";
import { compile, type Program } from "./layout.ts";
import { REQUEST_LAYOUTS } from "./request-layouts.ts";
import { RESPONSE_LAYOUTS } from "./response-layouts.ts";

/** Programs made so far: of the few versions that are spoken. */
const made: (Program | undefined)[] = [];

/** Of what nobody knows: the client's name, which stands at the same place in all requests. */
const UNKNOWN_REQUEST = compile("", 0, false, true, true, false);
const ERROR = compile("error_code:i16!error", 0, false, false, false, false);
const NAMED_ERROR = compile("error_code:i16!error", 0, false, true, false, false);

/**
 * Of a version that is not known: of ApiVersions the error, which stands first in every one, so that a client newer than its broker
 * learns what that speaks (KIP-511); the answer may then be in version 0, whose names these are.
 */
function unknownResponse(apiKey: number, wantsNames: boolean): Program | null {
  if (apiKey !== ApiKey.apiVersions) return null;
  const { steps } = wantsNames ? NAMED_ERROR : ERROR;
  return { steps, names: programOf(apiKey, 0, false, wantsNames)?.names ?? [] };
}

/** How to read a message behind the correlation id; null where nothing of it can be. `wantsNames`: fields are told one by one. */
export function programOf(apiKey: number, version: number, isRequest: boolean, wantsNames: boolean): Program | null {
  if (!isKnownVersion(apiKey, version)) return isRequest ? UNKNOWN_REQUEST : unknownResponse(apiKey, wantsNames);
  const name = COMMANDS[apiKey + 1]!;
  const index = (((apiKey * (MAX_VERSION + 1) + version) * 2 + (isRequest ? 1 : 0)) * 2 + (wantsNames ? 1 : 0)) | 0;
  const before = made[index];
  if (before !== undefined) return before;
  const layout = (isRequest ? REQUEST_LAYOUTS : RESPONSE_LAYOUTS)[name] ?? "";
  const isFlexibly = isFlexible(apiKey, version);
  // A client must be able to read the answer before it knows which versions the server speaks (KIP-511).
  const hasTags = isFlexibly && (isRequest || apiKey !== ApiKey.apiVersions);
  const isNamed = isRequest && !(apiKey === ApiKey.controlledShutdown && version === 0);
  const program = compile(layout, version, isFlexibly, wantsNames, isNamed, hasTags);
  made[index] = program;
  return program;
}
