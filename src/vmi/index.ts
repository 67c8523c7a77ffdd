/** The hypervisor: what a guest of the 2006 Virtual Machine Interface runs on. */
export { readAnnotations, type Site, type TableBounds } from './annotations.js';
export { VMI_CALLS, type VmiCall, vmiCall } from './calls.js';
export { Hypervisor, type HypervisorOptions } from './hypervisor.js';
export { installInline } from './install.js';
export type { IretScheme } from './stubs.js';
