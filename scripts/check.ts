/** `npm run check`: format, lint, types, import law, unused code, generated docs, unit tests. */
import { checkSteps } from './check-steps.ts';
import { runSteps } from './steps.ts';

runSteps(checkSteps);
