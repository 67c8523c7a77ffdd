// Who may import whom: cli -> {gdbstub, search} -> replay -> vmi -> machine -> cpu, never back.
const order = ['cpu', 'machine', 'vmi', 'replay'];
const above = (folder) => {
  const at = order.indexOf(folder);
  return [...order.slice(at + 1), 'search', 'gdbstub', 'cli'];
};
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: ['src/cli/main\\.ts$', 'index\\.ts$', '\\.d\\.ts$'] }, to: {} },
    ...order.map((folder) => ({
      name: `${folder}-imports-nothing-above`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: `^src/(${above(folder).join('|')})/` },
    })),
    { name: 'search-and-gdbstub-are-siblings', severity: 'error', from: { path: '^src/search/' }, to: { path: '^src/(gdbstub|cli)/' } },
    { name: 'gdbstub-imports-no-search', severity: 'error', from: { path: '^src/gdbstub/' }, to: { path: '^src/(search|cli)/' } },
    { name: 'isa-knows-no-compiler', severity: 'error', from: { path: '^src/cpu/isa/' }, to: { path: '^src/cpu/jit/' } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' } },
};
