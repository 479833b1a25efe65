/** The list of control routes: one line each, next to the route table. */
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import type { ControlAnswer } from '../json-answer.ts';
import type { ControlRouteName } from '../route-table.ts';
import { askEngine } from './engine.ts';
import { streamEvents } from './events.ts';
import { flushCaches, getLoads, profile } from './fleet-wide.ts';
import { liveness, readiness } from './health.ts';
import { getGeminiModel, getModel, listGeminiModels, listModels } from './models.ts';
import { parseFunctionCall, parseReasoning } from './parse.ts';
import { detokenize, tokenize } from './tokenize.ts';
import { addTokenizer, getTokenizer, listTokenizers, removeTokenizer } from './tokenizers.ts';
import { addWorker, patchWorker, removeWorker, replaceWorker } from './workers-change.ts';
import { getWorker, listWorkers } from './workers.ts';

type ControlFunction = (deps: ServerDeps, request: ControlRequest) => ControlAnswer | Promise<ControlAnswer>;

export const controlFunctions: Readonly<Record<ControlRouteName, ControlFunction>> = {
  'GET /health': () => liveness(),
  'GET /liveness': () => liveness(),
  'GET /readiness': (deps) => readiness(deps),
  'GET /health_generate': (deps) => askEngine(deps, '/health_generate'),
  'GET /v1/models': listModels,
  'GET /v1/models/{id}': getModel,
  'GET /v1beta/models': listGeminiModels,
  'GET /v1beta/models/{id}': getGeminiModel,
  'GET /get_model_info': (deps) => askEngine(deps, '/get_model_info'),
  'GET /get_server_info': (deps) => askEngine(deps, '/get_server_info'),
  'GET /workers': (deps, { query }) => listWorkers(deps, query),
  'POST /workers': addWorker,
  'GET /workers/{id}': (deps, { id }) => getWorker(deps, id),
  'PUT /workers/{id}': replaceWorker,
  'PATCH /workers/{id}': patchWorker,
  'DELETE /workers/{id}': removeWorker,
  'GET /events': (deps) => streamEvents(deps),
  'GET /get_loads': (deps) => getLoads(deps),
  'POST /flush_cache': (deps) => flushCaches(deps),
  'POST /start_profile': (deps, request) => profile(deps, request, '/start_profile'),
  'POST /stop_profile': (deps, request) => profile(deps, request, '/stop_profile'),
  'GET /v1/tokenizers': (deps) => listTokenizers(deps),
  'POST /v1/tokenizers': addTokenizer,
  'GET /v1/tokenizers/{id}': getTokenizer,
  'DELETE /v1/tokenizers/{id}': removeTokenizer,
  'POST /v1/tokenize': tokenize,
  'POST /v1/detokenize': detokenize,
  'POST /parse/function_call': parseFunctionCall,
  'POST /parse/reasoning': parseReasoning,
};
