/** Where the hypervisor lies in the guest's address space. */

/**
 * The published region: code that the guest executes, in ROM space. Both this page and the next must be
 * mapped here, linear = physical, for the supervisor, whenever the guest has paging on.
 */
export const REGION = 0xc8000;
/**
 * The words that hypervisor and region share, which the region writes. They are a window of the
 * hypervisor's, no RAM, so that it sees each access; a guest finds no difference.
 */
export const SHARED = 0xc9000;

/** Where the guest sees the region and the shared words: linear addresses, unsigned. */
export interface Placement {
  readonly region: number;
  readonly words: number;
}
/** Linear = physical. */
export const FIXED_PLACE: Placement = { region: REGION, words: SHARED };

/** Virtual IF: 200h or 0, as in EFLAGS. */
export const VIRTUAL_IF = SHARED;
/** 1 where an interrupt waits that the hypervisor could not inject when it came, else 0. */
export const PENDING = SHARED + 4;
/** Return address of the present IRET call: it names the site. */
export const IRET_RETURN = SHARED + 8;
/** Virtual IF as it was when the present IRET began. */
export const IRET_OLD_IF = SHARED + 12;
/** CR0 as the guest wrote it. */
export const SHADOW_CR0 = SHARED + 16;
/** The caller's EAX, where the IRET stub keeps it off the stack. */
export const IRET_EAX = SHARED + 20;
/** How many shared words there are. */
export const SHARED_WORDS = 6;

/** The top 64 MiB are the hypervisor's: no segment of the guest's reaches beyond this. */
export const HOLE = 0xfc000000;
/** Where the real GDT and IDT are said to lie: what SGDT and SIDT store. Nothing is mapped there. */
export const REAL_GDT = 0xfc001000;
export const REAL_IDT = 0xfc002000;
export const REAL_IDT_LIMIT = 0x7ff;

/** The privilege level of the guest's kernel. */
export const KERNEL_CPL = 1;
