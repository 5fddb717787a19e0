/**
 * fast-check, as the fuzz run sees it (`jest.fuzz.config.js`): every property is tried with so many times more cases, and how many
 * these were is written down.
 */
const { appendFileSync } = require('node:fs');
const fastCheck = require('../../../node_modules/fast-check/lib/cjs/fast-check.js');

const factor = Number(process.env.POSTHORN_FUZZ_FACTOR ?? 1);
const countFile = process.env.POSTHORN_FUZZ_COUNT_FILE;
const defaultRuns = 100;

function atLength(params = {}) {
  const numRuns = Math.ceil((params.numRuns ?? defaultRuns) * factor);
  if (countFile !== undefined) appendFileSync(countFile, `${numRuns}\n`);
  return { ...params, numRuns };
}

const longer = {
  ...fastCheck,
  assert: (property, params) => fastCheck.assert(property, atLength(params)),
  check: (property, params) => fastCheck.check(property, atLength(params)),
};
longer.default = longer;
module.exports = Object.defineProperty(longer, '__esModule', { value: true });
