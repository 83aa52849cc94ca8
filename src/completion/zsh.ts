import { COMMANDS } from "../options/commands.ts";
import { OPTION_TABLE, type OptionSpec } from "../options/table.ts";
import { spellingsOf, type Values, valuesOf } from "./values.ts";

/** For zsh: a file named `_tcplat` in a folder of `$fpath`. */
export function zshCompletion(protocols: readonly string[]): string {
  const specs = OPTION_TABLE.map((spec) => `    ${specOf(spec, valuesOf(spec, protocols))}`);
  const commands = COMMANDS.filter(({ name }) => name !== "");
  return `#compdef tcplat
# zsh completion of tcplat: tcplat completion zsh > _tcplat, in a folder of $fpath
_tcplat_interfaces() {
  local -a names
  names=(any /sys/class/net/*(N:t))
  compadd -a names
}

_tcplat_commands() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join("\n")}
  )
  _describe command commands
}

_tcplat_words() {
  case $words[2] in
    completion) compadd bash zsh fish ;;
    diff) _files ;;
    *) (( CURRENT == 2 )) && _tcplat_commands ;;
  esac
}

_tcplat() {
  _arguments -s -S \\
${specs.join(" \\\n")} \\
    '*:filter:_tcplat_words'
}

if [[ $funcstack[1] == _tcplat ]]; then
  _tcplat "$@"
else
  compdef _tcplat tcplat
fi
`;
}

/** \`'(-i --interface)'{-i+,--interface=}'[what it does]:NAME:_tcplat_interfaces'\`. */
function specOf(spec: OptionSpec, values: Values): string {
  const spellings = spellingsOf(spec);
  const takesValue = values.kind !== "none";
  const marked = spellings.map((each) => (takesValue ? each + (each.startsWith("--") ? "=" : "+") : each));
  const isList = spec.kind === "list";
  const exclusive = isList ? "'*'" : `'(${spellings.join(" ")})'`;
  const names = marked.length > 1 ? `{${marked.join(",")}}` : `${marked[0]}`;
  const action = takesValue ? `:${escaped(spec.argument)}:${actionOf(values)}` : "";
  return `${exclusive}${names}${quoted(`[${escaped(spec.summary)}]${action}`)}`;
}

function actionOf(values: Values): string {
  switch (values.kind) {
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "interfaces":
      return "_tcplat_interfaces";
    case "words":
      return `(${values.words.join(" ")})`;
    default:
      return " ";
  }
}

/** Brackets and colons are _arguments' own. */
function escaped(text: string): string {
  return text.replace(/[[\]:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
