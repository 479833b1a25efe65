/** Workers that answer small questions from a table: a Prober without a network. */
import { GatewayError } from '../../src/domain/errors.ts';
import type { Prober, ProbeReply, Question } from '../../src/domain/ports.ts';
import type { WorkerAddress } from '../../src/domain/worker.ts';

/** What a worker answers to a path: a status, a value that is sent as JSON, text as it is, or no answer at all. */
export type Answer = number | string | object | undefined;

export type Answers = Readonly<Record<string, Answer>>;

export class TableProber implements Prober {
  /** Paths asked so far, in order. */
  readonly asked: string[] = [];
  /** What is answered now; a path that is not there is not found. Null: the worker is down. */
  answers: Answers | null;

  constructor(answers: Answers | null) {
    this.answers = answers;
  }

  async ask(worker: WorkerAddress, { path }: Question): Promise<ProbeReply> {
    this.asked.push(path);
    await Promise.resolve();
    if (this.answers === null)
      throw new GatewayError('upstream_unreachable', `Worker ${worker.id} refused the connection`);
    if (!(path in this.answers)) return replyOf(404, 'Not Found');
    const answer = this.answers[path];
    if (answer === undefined) throw new GatewayError('upstream_timeout', `Worker ${worker.id} did not answer`);
    if (typeof answer === 'number') return replyOf(answer, '');
    return typeof answer === 'string' ? replyOf(200, answer) : replyOf(200, JSON.stringify(answer));
  }
}

function replyOf(status: number, text: string): ProbeReply {
  return { status, contentType: 'application/json', text };
}

/** Answers as SGLang gives them. */
export const sglang: Answers = {
  '/health': 200,
  '/v1/models': {
    object: 'list',
    data: [{ id: 'qwen/qwen3-8b', object: 'model', owned_by: 'sglang', root: 'qwen/qwen3-8b', max_model_len: 40960 }],
  },
  '/server_info': { model_path: 'qwen/qwen3-8b', version: '0.5.3' },
};

/** Answers as vLLM gives them, with an adapter beside the base model. */
export const vllm: Answers = {
  '/health': '',
  '/v1/models': {
    object: 'list',
    data: [
      { id: 'llama', object: 'model', owned_by: 'vllm', root: 'meta/llama', parent: null, max_model_len: 8192 },
      { id: 'sql-lora', object: 'model', owned_by: 'vllm', root: '/loras/sql', parent: 'llama' },
      { id: 'llama', object: 'model', owned_by: 'vllm' },
    ],
  },
  '/version': { version: '0.10.1' },
};

/** Lets everything that waits for answers go on, as far as it goes without the clock. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
