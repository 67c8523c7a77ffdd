/**
 * The part of the JavaScript API of WebAssembly that is used here. TypeScript has it in its "dom"
 * library alone, whose other names must not be at hand in here.
 * Source: WebAssembly JavaScript Interface 1.0.
 */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number });
    set(index: number, value: ExportValue): void;
    grow(entries: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: { env: ModuleImports });
    readonly exports: Readonly<Record<string, ExportValue>>;
  }
  /** Functions are the only exports that there are here. */
  type ExportValue = (...parameters: number[]) => number;
  type ImportFunction = (...parameters: never[]) => number | void;
  type ModuleImports = Record<string, ImportFunction | Memory | Table>;
}
