/**
 * What a grammar of calls tells: text, and calls with their arguments. White space that stands between calls, before
 * the first and behind the last is no text; where there are no calls it is.
 */
import type { FunctionTool, JsonText } from '../../../domain/generation.ts';
import type { ToolEvent, ToolParserOptions } from '../parser.ts';

/** More white space than this is told as text. */
const MAX_SPACE_CHARS = 4096;

export class CallWriter {
  readonly #emit: (event: ToolEvent) => void;
  readonly #options: ToolParserOptions;
  readonly #tools: ReadonlyMap<string, FunctionTool>;
  #space = '';
  #spaceFrom = 0;
  /** No text yet since the beginning or the last call. */
  #isAtEdge = true;
  #hasCalls = false;
  #callId = '';
  #hasArguments = false;

  constructor(options: ToolParserOptions, emit: (event: ToolEvent) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#tools = new Map(options.tools.map((tool) => [tool.name, tool]));
  }

  get hasCalls(): boolean {
    return this.#hasCalls;
  }

  isTool(name: string | undefined): name is string {
    return name !== undefined && this.#tools.has(name);
  }

  schemaOf(name: string): JsonText | undefined {
    return this.#tools.get(name)?.schemaText;
  }

  text(text: string, from: number): void {
    if (!this.#isAtEdge) return this.#emit({ type: 'text', text, from });
    // A mark stood between them: what was before it is no text.
    if (this.#spaceFrom + this.#space.length !== from) this.#space = '';
    if (this.#space === '') this.#spaceFrom = from;
    this.#space += text;
    if (this.#space.length <= MAX_SPACE_CHARS && this.#space.trim() === '') return;
    this.#isAtEdge = false;
    this.#flush();
  }

  start(name: string): void {
    this.#space = '';
    this.#isAtEdge = true;
    this.#hasCalls = true;
    this.#hasArguments = false;
    this.#callId = this.#options.newCallId(name);
    this.#emit({ type: 'call-start', callId: this.#callId, name });
  }

  arguments(argumentsDelta: string): void {
    if (argumentsDelta === '') return;
    this.#hasArguments = true;
    this.#emit({ type: 'call-delta', callId: this.#callId, argumentsDelta });
  }

  end(): void {
    if (!this.#hasArguments) this.arguments('{}');
    this.#emit({ type: 'call-end', callId: this.#callId });
  }

  /** A call that is known at once. */
  whole(name: string, argumentsText: JsonText): void {
    this.start(name);
    this.arguments(argumentsText);
    this.end();
  }

  /** The text has ended. */
  close(): void {
    if (!this.#hasCalls) this.#flush();
  }

  #flush(): void {
    if (this.#space !== '') this.#emit({ type: 'text', text: this.#space, from: this.#spaceFrom });
    this.#space = '';
  }
}
