/** Is it there and well? Asked at the configured health path, or at the list of models where there is none. */
import { isOk } from '../read-json.ts';
import type { Step } from './step.ts';
import { MODELS_PATH, NOT_THERE, refusal } from './step.ts';

export const connect: Step = {
  name: 'connect',
  run: async ({ questions, healthPath }) => {
    const health = await questions.ask(healthPath);
    if (isOk(health)) return { healthPath };
    if (!NOT_THERE.has(health.status)) throw refusal(healthPath, health, questions.hasKey);
    const models = await questions.ask(MODELS_PATH);
    if (isOk(models)) return { healthPath: MODELS_PATH };
    // The list may be there and need a key; otherwise nothing here looks like a worker.
    throw NOT_THERE.has(models.status)
      ? refusal(healthPath, health, questions.hasKey)
      : refusal(MODELS_PATH, models, questions.hasKey);
  },
};
