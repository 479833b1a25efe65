/** Which engine it is: as its spec says, else by the owner of its models, else by an endpoint that only one engine has. */
import type { EngineProfile } from './engines/engine-profile.ts';
import { engineProfiles, openaiCompatible } from './engines/index.ts';
import { readModelList } from './model-list.ts';
import type { Questions } from './questions.ts';
import type { Round, Step } from './step.ts';
import { MODELS_PATH } from './step.ts';

export const detectEngine: Step = {
  name: 'detect_engine',
  run: async (round, found) => {
    const { runtime } = round.worker.spec;
    const profile =
      runtime === undefined
        ? await detect(round, found.healthPath)
        : (engineProfiles.find(({ engine }) => engine === runtime) ?? openaiCompatible);
    return { profile, engine: profile.engine };
  },
};

async function detect({ questions }: Round, healthPath: string): Promise<EngineProfile> {
  const { owner, ids } = readModelList(await questions.tryAsk(MODELS_PATH));
  const owned = engineProfiles.find(({ owners }) => owner !== undefined && owners.includes(owner));
  if (owned) return owned;
  const signed = await firstWithSign(questions);
  if (signed) return signed;
  const health = await questions.tryAsk(healthPath);
  const looks = { hasModels: ids.length > 0, owner, health };
  return engineProfiles.find((profile) => profile.looksLike?.(looks)) ?? openaiCompatible;
}

/** All are asked at once, and the first that shows its sign is it: one that hangs holds up nobody but a stranger. */
async function firstWithSign(questions: Questions): Promise<EngineProfile | undefined> {
  const asked = engineProfiles.flatMap((profile) =>
    profile.signs.map(async (sign) => {
      const reply = await questions.tryAsk(sign.path);
      if (reply && sign.isShownBy(reply)) return profile;
      throw new Error(`no ${profile.engine}`);
    }),
  );
  return Promise.any(asked).catch(() => undefined);
}
