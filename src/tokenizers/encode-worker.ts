/** The module that runs as an encoding thread. */
import { parentPort } from 'node:worker_threads';
import { allAtOnce } from '../pipeline/tokenizer/steps.ts';
import { createTokenizer } from './create-tokenizer.ts';
import { serveEncoding } from './encode-thread.ts';

if (parentPort) serveEncoding(parentPort, (files) => createTokenizer(files, async (steps) => allAtOnce(steps)));
