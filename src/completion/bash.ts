import { COMMANDS } from "../options/commands.ts";
import { OPTION_TABLE, type OptionSpec } from "../options/table.ts";
import { spellingsOf, type Values, valuesOf } from "./values.ts";

/** For bash 4 and newer: `source <(tcplat completion bash)`. */
export function bashCompletion(protocols: readonly string[]): string {
  const spellings = OPTION_TABLE.flatMap(spellingsOf);
  const commands = COMMANDS.filter(({ name }) => name !== "");
  const cases = OPTION_TABLE.flatMap((spec) => caseOf(spec, valuesOf(spec, protocols)));
  return `# bash completion of tcplat: source <(tcplat completion bash)
_tcplat() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  # Bash takes --name=value for three words.
  if [[ $cur == "=" ]]; then
    cur=
  elif [[ $prev == "=" ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  case $prev in
${cases.join("\n")}
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W ${quoted(spellings)} -- "$cur")
    return
  fi
  case \${COMP_WORDS[1]} in
    completion)
      mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- "$cur")
      return ;;
    diff)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return ;;
  esac
  if [[ $COMP_CWORD -eq 1 ]]; then
    mapfile -t COMPREPLY < <(compgen -W ${quoted(commands.map(({ name }) => name))} -- "$cur")
  fi
}
complete -F _tcplat tcplat
`;
}

function caseOf(spec: OptionSpec, values: Values): string[] {
  const action = actionOf(values);
  if (action === null) return [];
  return [`    ${spellingsOf(spec).join("|")})`, ...action.map((line) => `      ${line}`), "      return ;;"];
}

function actionOf(values: Values): string[] | null {
  const take = (words: string) => `mapfile -t COMPREPLY < <(compgen ${words} -- "$cur")`;
  switch (values.kind) {
    case "none":
      return null;
    case "any":
      return [];
    case "files":
      return ["compopt -o filenames 2>/dev/null", take("-f")];
    case "folders":
      return ["compopt -o filenames 2>/dev/null", take("-d")];
    case "interfaces":
      return [take('-W "any $(ls /sys/class/net 2>/dev/null)"')];
    case "words":
      return [take(`-W ${quoted(values.words)}`)];
  }
}

function quoted(words: readonly string[]): string {
  return `'${words.join(" ")}'`;
}
