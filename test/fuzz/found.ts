/** Cases that `npm run fuzz` found, and what was wrong: they stay mended. */
export const FOUND: readonly (readonly [string, string])[] = [
  ["redis:154", "a request given up in the middle had fewer than no bytes"],
  ["frames:1122", "a request given up in the middle had fewer than no bytes"],
  ["session:319", "memcached's dialect was forgotten in silence"],
  ["captures:4759", "a SYN with data that came late replaced the conversation, whose request was never accounted for"],
  ["redis:1003546", "a client that was never seen to pipeline was believed to wait, and did not"],
  ["redis:1007256", "a client that was never seen to pipeline was believed to wait, and did not"],
  ["redis:1009963", "a client that was never seen to pipeline was believed to wait, and did not"],
  ["redis:5001135", "a client that was never seen to pipeline was believed to wait, and did not"],
  ["redis:5007178", "the middle of a value was taken for a request, and told as unanswered"],
  ["kafka:1283928137", "four zero bytes behind a loss were taken for the answer to a Produce that is not answered"],
];

/** Cases that cannot be mended: a value whose beginning was lost looks like requests, told as unanswered and paired with nothing. */
export const OPEN: readonly (readonly [string, string])[] = [
  ["redis:1003033", "a cut command is taken for a request that nobody sent, and told as unanswered"],
  ["redis:5001832", "the middle of a value is taken for requests"],
  ["redis:5008191", "the middle of a value is taken for requests"],
];
