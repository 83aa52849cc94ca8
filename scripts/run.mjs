// The first file that npm start, npm test, npm run check and npm run build run, in a clone where nothing is installed yet:
// it refuses a Node that is too old in one sentence, and is itself written so that such a Node can read it.
// Usage: node scripts/run.mjs start|test|check|build [arguments]

const OLDEST = [20, 19];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `tcplat needs Node ${OLDEST.join(".")} or newer and this is ${process.versions.node}: get one from https://nodejs.org.`,
  );
  process.exitCode = 1;
} else {
  import(`./${process.argv[2]}.mjs`)
    .then((task) => task.main(process.argv.slice(3)))
    .then(
      (status) => {
        process.exitCode = status;
      },
      (error) => {
        console.error(error.isForTheUser ? error.message : error);
        process.exitCode = 1;
      },
    );
}
