/** Bits of the control and debug registers. Intel SDM vol. 3A §2.5 and vol. 3B §17.2. */

export const CR0_PE = 1 << 0;
export const CR0_MP = 1 << 1;
export const CR0_EM = 1 << 2;
export const CR0_TS = 1 << 3;
export const CR0_ET = 1 << 4;
export const CR0_NE = 1 << 5;
export const CR0_WP = 1 << 16;
export const CR0_AM = 1 << 18;
export const CR0_NW = 1 << 29;
export const CR0_CD = 1 << 30;
export const CR0_PG = 1 << 31;

export const CR4_VME = 1 << 0;
export const CR4_PVI = 1 << 1;
export const CR4_TSD = 1 << 2;
export const CR4_DE = 1 << 3;
export const CR4_PSE = 1 << 4;
export const CR4_PAE = 1 << 5;
export const CR4_MCE = 1 << 6;
export const CR4_PGE = 1 << 7;
export const CR4_PCE = 1 << 8;
export const CR4_OSFXSR = 1 << 9;

/** A debug register was about to be accessed while DR7.GD was set. */
export const DR6_BD = 1 << 13;
/** Single step. */
export const DR6_BS = 1 << 14;
/** The TSS of the task that was switched to has its T bit set. */
export const DR6_BT = 1 << 15;
export const DR7_GD = 1 << 13;
/** L0 to L3 and LE, which a task switch clears. */
export const DR7_LOCAL = 0x155;
