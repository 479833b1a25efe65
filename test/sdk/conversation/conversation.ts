/** A conversation that goes on turn by turn with whichever model is named, through one client API: its history grows. */

export interface Conversation {
  readonly api: string;
  /** Says it, lets tools run until the model has said its last word, and returns that word. */
  say(model: string, prompt: string): Promise<string>;
}

export interface Place {
  readonly url: string;
  readonly key: string;
  /** What a tool answers. */
  readonly run: (name: string, args: unknown) => string;
}

export const LOOK_UP = {
  name: 'look_up',
  description: 'Looks something up.',
  schema: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] },
} as const;

/** Rounds of tools in one turn before somebody is at fault. */
export const MAX_ROUNDS = 5;
