// The import law of ARCHITECTURE.md as rules: arrows point downward only, cycles are forbidden.
const between = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to },
});

/** Levels from the bottom up; a folder may import its own level's siblings only where a rule below does not forbid it. */
const LEVEL_1 = ['protocols', 'routing', 'resilience', 'admission', 'pipeline'];
const LEVEL_2 = ['workers', 'backends', 'tokenizers', 'storage', 'auth', 'observability'];
const folder = (...names) => `^src/(${names.join('|')})/`;

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^(src|sim|lab)/', pathNot: ['\\.d\\.ts$', '^(src|lab)/main\\.ts$'] },
      to: {},
    },
    between('base-is-the-ground', '^src/base/', '^src/(?!base/)', 'base imports nothing of ours'),
    between('domain-on-base', '^src/domain/', '^src/(?!base/|domain/)', 'domain imports base only'),
    {
      name: 'level-0-without-node',
      severity: 'error',
      from: { path: folder('base', 'domain'), pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    between(
      'level-1-on-level-0',
      folder(...LEVEL_1),
      folder(...LEVEL_2, 'dispatch', 'responses', 'server', 'app', 'config', 'cli'),
      'no I/O level knows no adapter',
    ),
    ...LEVEL_1.map((name) =>
      between(
        `level-1-apart-${name}`,
        folder(name),
        folder(...LEVEL_1.filter((other) => other !== name)),
        'level 1 folders do not know each other',
      ),
    ),
    {
      name: 'level-1-without-io',
      severity: 'error',
      from: { path: folder(...LEVEL_1), pathNot: ['\\.test\\.ts$', '^src/pipeline/tokenizer/load\\.ts$'] },
      to: { dependencyTypes: ['core', 'npm'], pathNot: ['node_modules/typebox'] },
    },
    between(
      'level-2-on-levels-0-and-1',
      folder(...LEVEL_2),
      folder('dispatch', 'responses', 'server', 'app', 'config', 'cli'),
      'adapters do not know who uses them',
    ),
    ...LEVEL_2.map((name) =>
      between(
        `level-2-apart-${name}`,
        folder(name),
        folder(...LEVEL_2.filter((other) => other !== name)),
        'adapters meet as ports',
      ),
    ),
    between(
      'dispatch-uses-ports',
      folder('dispatch'),
      folder(...LEVEL_2, 'responses', 'server', 'app', 'config', 'cli'),
      'the spine knows adapters as ports only',
    ),
    between(
      'responses-above-dispatch',
      folder('responses'),
      folder(...LEVEL_2, 'server', 'app', 'config', 'cli'),
      'responses may import dispatch, nothing beside it',
    ),
    between(
      'server-uses-ports',
      folder('server'),
      folder(...LEVEL_2, 'app', 'config', 'cli', 'routing', 'resilience', 'pipeline'),
      'the edge knows adapters as ports only',
    ),
    {
      name: 'undici-in-backends-only',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/backends/', '\\.test\\.ts$'] },
      to: { path: 'node_modules/undici' },
    },
    {
      name: 'config-for-the-top-only',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(config|cli|app)/', '^src/main\\.ts$'] },
      to: { path: '^src/config/' },
    },
    between(
      'src-stands-alone',
      '^src/(?!.*\\.test\\.ts$)',
      '^(sim|lab|test|bench|scripts)/',
      'the product never imports its rigs',
    ),
    between(
      'sim-stands-alone',
      '^sim/',
      '^(src/(?!domain/|protocols/[^/]+/schema\\.ts)|lab|test|bench)',
      'the simulator has its own encoders',
    ),
    between(
      'lab-joins-policies-and-engines',
      '^lab/(?!.*\\.test\\.ts$)',
      '^(src/(?!base/|domain/|routing/|config/)|sim/(?!core/)|test|bench|scripts)',
      'the laboratory plays policies over schedulers, nothing else (docs/decisions/0008)',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts'], conditionNames: ['import', 'node', 'default'] },
  },
};
