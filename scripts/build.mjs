// npm run build, and prepack: dist made anew.
import { build, needDependencies } from "./project.mjs";

export function main() {
  needDependencies();
  build();
  return 0;
}
