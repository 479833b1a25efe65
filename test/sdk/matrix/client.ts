/** What every official client can be asked in the matrix, and what it makes of the answer. One file for each client. */

/** One question, in no client's words. */
export interface Question {
  readonly model: string;
  readonly prompt: string;
  readonly isStream: boolean;
  /** The tools of the matrix may be called. */
  readonly hasTools?: boolean;
  readonly thinks?: boolean;
  /** Limit of the answer; MAX_TOKENS when not given. */
  readonly maxTokens?: number;
  /** A tool is to be called; what comes after its result is free again. */
  readonly mustCall?: boolean;
  /** A PNG in base64. */
  readonly image?: string;
  /** The answer is an object of SCHEMA. */
  readonly isStructured?: boolean;
}

export interface ToolCall {
  readonly name: string;
  readonly args: unknown;
}

/** What the client's user sees. */
export interface Said {
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly ToolCall[];
  /** Pieces in which the text came; 1 when it came whole. */
  readonly pieces: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A question whose answer called tools, and the answer to their results. */
export interface Round {
  readonly first: Said;
  readonly second: Said;
}

/** What each tool answers. */
export type Results = Readonly<Record<string, string>>;

export interface Client {
  readonly name: string;
  ask(question: Question): Promise<Said>;
  round(question: Question, results: Results): Promise<Round>;
  /** The HTTP status that the client's error carries; undefined when it has none. */
  statusOf(error: unknown): number | undefined;
}

export interface ClientOptions {
  /** Of the gateway, without a path. */
  readonly url: string;
  readonly key: string;
}

export interface MatrixTool {
  readonly name: string;
  readonly description: string;
  readonly schema: Record<string, unknown>;
}

export const TOOLS: readonly MatrixTool[] = [
  {
    name: 'get_weather',
    description: 'Weather now.',
    schema: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
  {
    name: 'get_time',
    description: 'Time now.',
    schema: { type: 'object', properties: {}, additionalProperties: false },
  },
];

export const SCHEMA: Record<string, unknown> = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
};

export const MAX_TOKENS = 4_096;
