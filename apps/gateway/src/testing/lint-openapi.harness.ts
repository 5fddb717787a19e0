/**
 * Lints the OpenAPI document on standard input with Redocly's recommended rules and prints the problems as JSON. A program
 * of its own, because the linter can only be imported as a module, which jest doesn't do.
 */
import { text } from 'node:stream/consumers';
import { createConfig, lintFromString } from '@redocly/openapi-core';

const config = await createConfig({ extends: ['recommended'], telemetry: 'off' });
const problems = await lintFromString({ source: await text(process.stdin), config });
const lines = problems.map(
  ({ severity, ruleId, message, location }) =>
    `${severity} ${ruleId}: ${message} at ${location[0]?.pointer ?? '#'}`,
);
process.stdout.write(JSON.stringify(lines));
