/**
 * What a provider's worker serves: the models of its spec, else those that the provider lists for the stored key, page by
 * page. Without a key only such providers are asked whose list may be open; the worker then takes what is listed, and in
 * any case the models whose name is its provider's.
 * Limits  so many pages; each has the probe's time and size limits
 */
import { listingPathOf } from '../../domain/providers/path.ts';
import type { ListedModel } from '../../domain/providers/listing.ts';
import { readListing } from '../../domain/providers/listing.ts';
import type { ModelListing } from '../../domain/providers/provider.ts';
import type { Worker, WorkerAddress } from '../../domain/worker.ts';
import { isOk, jsonOf } from '../read-json.ts';
import { modelsOf } from './list-models.ts';
import { boundedIds } from './model-list.ts';
import type { Questions } from './questions.ts';
import type { Findings, Step } from './step.ts';
import { NOT_THERE, refusal } from './step.ts';

const MAX_PAGES = 20;

/** Where this worker can be asked for its models; undefined: it cannot, or need not. */
export function cloudListPath({ address, spec }: Pick<Worker, 'address' | 'spec'>): string | undefined {
  const mayAsk = address.apiKey !== undefined || address.provider?.mayListOpenly === true;
  return spec.models.length === 0 && mayAsk ? listingPathOf(address) : undefined;
}

export const listCloudModels: Step = {
  name: 'list_models',
  run: async ({ worker, questions }, found) => {
    const { provider } = worker.address;
    const address: WorkerAddress = { ...worker.address, url: found.url };
    const path = cloudListPath({ ...worker, address });
    if (worker.spec.models.length > 0) return modelsOf(worker.spec.models, found);
    const form = provider?.listing?.form;
    if (form === undefined || path === undefined) return NOTHING_KNOWN;
    return listed(await readPages(questions, path, form));
  },
};

const NOTHING_KNOWN: Partial<Findings> = { models: [], contextLength: undefined, modelLimits: new Map() };

function listed(models: readonly ListedModel[]): Partial<Findings> {
  const told = models.filter(
    ({ limits }) => limits.contextLength !== undefined || limits.maxOutputTokens !== undefined,
  );
  const ids = boundedIds(models.map(({ id }) => id));
  const kept = new Set(ids);
  const modelLimits = new Map(told.filter(({ id }) => kept.has(id)).map(({ id, limits }) => [id, limits]));
  return { models: ids, contextLength: undefined, modelLimits };
}

async function readPages(
  questions: Questions,
  path: string,
  form: ModelListing['form'],
): Promise<readonly ListedModel[]> {
  const models: ListedModel[] = [];
  let end: string | undefined = '';
  for (let page = 0; end !== undefined && page < MAX_PAGES; page += 1) {
    const reply = await questions.ask(path + end);
    // Some have no list: then it is known by its name alone.
    if (page === 0 && NOT_THERE.has(reply.status)) return [];
    if (!questions.hasKey && (reply.status === 401 || reply.status === 403)) return [];
    if (!isOk(reply)) throw refusal(withoutQuery(path), reply, questions.hasKey);
    const answer = readListing(form, jsonOf(reply));
    models.push(...answer.models);
    end = answer.next;
  }
  return models;
}

function withoutQuery(path: string): string {
  return path.replace(/\?.*/, '');
}
