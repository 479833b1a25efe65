/** What `npm run check` consists of; `npm test` begins with the same list. */
import { node, tool } from './steps.ts';

const FOLDERS = ['src', 'sim', 'lab', 'test', 'bench', 'scripts'];

export const checkSteps = [
  tool('format', '@biomejs/biome/bin/biome', 'format', '.'),
  tool('lint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings', ...FOLDERS),
  tool('types', 'typescript-native/bin/tsc', '--noEmit', '-p', 'tsconfig.json'),
  tool('import law', 'dependency-cruiser/bin/dependency-cruiser.mjs', 'src', 'sim', 'lab'),
  tool('unused code', 'knip/bin/knip.js'),
  node('generated docs', 'scripts/generate-docs.ts', '--check'),
  node('generated protos', 'scripts/generate-protos.ts', '--check'),
  node(
    'unit tests',
    '--test',
    '--test-reporter=dot',
    'src/**/*.test.ts',
    'sim/**/*.test.ts',
    'lab/**/*.test.ts',
    'bench/**/*.test.ts',
    'scripts/**/*.test.ts',
  ),
];
