/** Documents that gdb reads in pieces. */
import { latin1 } from '../bytes.js';
import type { ObjectName } from '../commands/command.js';
import { MOST_READ_BYTES } from '../limits.js';
import { describeTarget } from '../register-layout.js';
import type { DebugTarget, OsTable, TargetLibrary } from '../target.js';
import { element, escapeXml } from '../xml.js';
import type { Handlers, SessionContext } from './handler.js';
import { invalid, OK, type Reply } from './reply.js';

/** Bytes of branch trace that we say we keep; gdb shows the number and does no more with it. */
const BRANCH_BUFFER_BYTES = '0x10000';

export const DOCUMENT_HANDLERS: Pick<Handlers, 'read-object' | 'trace-branches'> = {
  'read-object': ({ object, annex, offset, length }, context) => {
    const key = `${object} ${annex}`;
    // All pieces are of one document, whatever happens to the target meanwhile.
    const document =
      (offset === 0 ? undefined : context.documents.get(key)) ?? compose(object, annex, context);
    if (document === null) return invalid(`there is no ${object} ${annex}`);
    context.documents.clear();
    context.documents.set(key, document);
    return window(document, offset, length);
  },

  'trace-branches': ({ isOn }, { settings }) => {
    settings.tracesBranches = isOn;
    return OK;
  },
};

function compose(object: ObjectName, annex: string, context: SessionContext): Uint8Array | null {
  const text = describe(object, annex, context);
  return text === null ? null : Buffer.from(text, 'utf8');
}

function describe(object: ObjectName, annex: string, context: SessionContext): string | null {
  const { target, settings } = context;
  switch (object) {
    case 'features':
      return annex === 'target.xml' ? describeTarget(target.registers.layout) : null;
    case 'exec-file':
      return target.image === undefined ? null : imagePath(target.image.name);
    case 'libraries':
      return target.library === undefined ? null : describeLibrary(target.library);
    case 'memory-map':
      return describeMemory(target);
    case 'threads':
      return element('threads', {}, [
        element('thread', { id: '1' }, [escapeXml(target.status?.() ?? '')]),
      ]);
    case 'osdata':
      return describeTables(target.tables ?? [], annex);
    case 'btrace':
      // Only differences are refused: gdb then asks for all.
      return settings.tracesBranches && annex !== 'delta' ? describeBranches(target) : null;
    case 'btrace-conf':
      // Naming a method would have gdb start its own replay of branches as soon as it connects.
      return element(
        'btrace-conf',
        { version: '1.0' },
        settings.tracesBranches ? [element('bts', { size: BRANCH_BUFFER_BYTES }, [])] : [],
      );
  }
}

function describeMemory({ memoryMap = [] }: DebugTarget): string {
  const regions = memoryMap.map(({ start, length, kind }) =>
    element(
      'memory',
      { type: kind, start: `0x${start.toString(16)}`, length: `0x${length.toString(16)}` },
      [],
    ),
  );
  return element('memory-map', {}, regions);
}

function describeLibrary({ name, address }: TargetLibrary): string {
  const segment = element('segment', { address: `0x${address.toString(16)}` }, []);
  return element('library-list', {}, [element('library', { name: imagePath(name) }, [segment])]);
}

function describeBranches({ branches }: DebugTarget): string {
  const blocks = (branches?.() ?? []).map(({ begin, end }) =>
    element('block', { begin: `0x${begin.toString(16)}`, end: `0x${end.toString(16)}` }, []),
  );
  return element('btrace', { version: '1.0' }, blocks);
}

/** The table of that name; without a name the table of tables. */
function describeTables(tables: readonly OsTable[], name: string): string | null {
  if (name === '') {
    const rows = tables.map((table) => [table.name, table.summary]);
    return describeTable('types', ['Type', 'Description'], rows);
  }
  const table = tables.find((each) => each.name === name);
  return table === undefined ? null : describeTable(name, table.columns, table.rows());
}

function describeTable(
  type: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const items = rows.map((row) =>
    element(
      'item',
      {},
      columns.map((name, place) => element('column', { name }, [escapeXml(row[place])])),
    ),
  );
  return element('osdata', { type }, items);
}

/** A piece of a document: `m` and the piece, or `l` and the last one. */
function window(document: Uint8Array, offset: number, length: number): Reply {
  const end = Math.min(document.length, offset + Math.min(length, MOST_READ_BYTES));
  const piece = document.subarray(offset, end);
  const body = new Uint8Array(piece.length + 1);
  body.set(latin1(end < document.length ? 'm' : 'l'));
  body.set(piece, 1);
  return { kind: 'packet', body };
}

/** An absolute path, as gdb looks for any other one in folders of its own. */
export function imagePath(name: string): string {
  return name.startsWith('/') ? name : `/${name}`;
}
