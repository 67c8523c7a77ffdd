import tseslint from 'typescript-eslint';

const HOST =
  'Below cli nobody reads the host: take what you need as an argument (design: determinism).';
const hostGlobals = [
  'Date',
  'performance',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'crypto',
].map((name) => ({ name, message: HOST }));
// Their results may differ between JavaScript engines, and a trace must not.
const transcendental = ['sin', 'cos', 'tan', 'exp', 'log', 'log2', 'log10', 'pow', 'atan', 'atan2'];

export default tseslint.config(
  {
    ignores: [
      'build/**',
      '**/*.d.ts',
      'dist/',
      'node_modules/',
      '.dependency-cruiser.cjs',
      'eslint.config.js',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
      // What unwinds a guest fault through WebAssembly is a preallocated value, not an Error:
      // an Error would capture a stack at each page fault.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: {
      'no-restricted-globals': ['error', ...hostGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: HOST },
        ...transcendental.map((property) => ({ object: 'Math', property, message: HOST })),
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex:
                '^(node:)?(fs|net|os|child_process|http|https|dgram|tty|process|worker_threads|timers)(/.*)?$',
              message: HOST,
            },
          ],
        },
      ],
      'no-console': 'error',
    },
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { 'no-restricted-globals': 'off' } },
);
