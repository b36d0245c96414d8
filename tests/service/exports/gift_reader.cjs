// Reads GIFT, one JSON string a line, and answers each with what gift-pegjs makes of it, as a line of JSON.
const { createInterface } = require("node:readline");
const { parse } = require("gift-pegjs");

createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    answer = parse(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
