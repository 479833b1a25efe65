/** `npm test`: everything that `npm run check` does, then contracts, journeys and the official SDKs. */
import { checkSteps } from './check-steps.ts';
import { node, runSteps } from './steps.ts';

const files = process.argv.slice(2);

runSteps(
  files.length > 0
    ? [node('chosen tests', '--test', ...files)]
    : [...checkSteps, node('journeys', '--test', '--test-concurrency=2', 'test/*/*.test.ts')],
);
