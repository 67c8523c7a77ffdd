/**
 * What emitted code calls outside of its module: services, at fixed places of the table that each module imports. A
 * module that imports functions takes V8 0.2 ms more: it compiles a wrapper for each of their types, which only a
 * JavaScript function would need.
 */
import { HANDLER_COUNT } from '../engine/record.js';
import { type Bytes, constant, type FunctionType, I32, OP, unsigned } from './encoder.js';

/** (record) → the record to go on with, or 0: look EIP up. */
export const HANDLER_TYPE: FunctionType = functionType(1, true);

function functionType(parameters: number, hasResult: boolean): FunctionType {
  return { parameters: new Array<number>(parameters).fill(I32), results: hasResult ? [I32] : [] };
}

/** Before them in the table are the handlers of records that are no instruction's. */
const FIRST_PLACE = HANDLER_COUNT + 1;

/** Name and type of each, in the order of their places. */
const LIST = {
  /** (segment's state offset, offset, size) → value */
  load: functionType(3, true),
  /** (segment's state offset, offset, size, value) */
  store: functionType(4, false),
  /** (segment's state offset, offset, size) → value, having checked the write */
  modify: functionType(3, true),
  /** (vector): throws */
  raise: functionType(1, false),
  /** (record): runs the instruction's procedure and moves EIP */
  procedure: functionType(1, false),
  /** (its number): the same for a procedure in compiled code */
  perform: functionType(1, false),
  /** (BULK_*, source segment's state offset, size): iterations of a REP ahead */
  bulk: functionType(3, false),
  /** () → record of the instruction at EIP alone */
  single: functionType(0, true),
};

export type ServiceName = keyof typeof LIST;

export const SERVICE_NAMES = Object.keys(LIST) as readonly ServiceName[];

/** Types of what is called by the table, in the order in which modules that do so number them. */
export const CALL_TYPES: readonly FunctionType[] = [HANDLER_TYPE, ...Object.values(LIST)];
export const HANDLER_TYPE_INDEX = 0;

/** The type of a service. */
export function serviceType(name: ServiceName): FunctionType {
  return LIST[name];
}

/** The place of a service in the table. */
export function servicePlace(name: ServiceName): number {
  return FIRST_PLACE + SERVICE_NAMES.indexOf(name);
}

/** The first place behind those of services. */
export const PLACE_BEHIND_SERVICES: number = FIRST_PLACE + SERVICE_NAMES.length;

/** Calls a service with the arguments on the stack. */
export function callService(name: ServiceName): Bytes {
  const typeIndex = HANDLER_TYPE_INDEX + 1 + SERVICE_NAMES.indexOf(name);
  return [...constant(servicePlace(name)), OP.callIndirect, ...unsigned(typeIndex), 0];
}
