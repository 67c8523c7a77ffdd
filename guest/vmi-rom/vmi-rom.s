# The option ROM of the Virtual Machine Interface, API 3.0: what a kernel finds when it scans C8000h to
# DFFFFh, and what its patched sites call. Runs wherever the kernel has mapped it.
#
# A call that needs the hypervisor executes an instruction that traps at CPL 1: the native one where
# there is one, HLT elsewhere. Two places execute UD2, which traps at CPL 0 too. The hypervisor knows
# its ROM by the physical address, and a call by the first instruction of its stub.
#
# Some calls lie in the published region, which the hypervisor fills in: their entries in the table are 0
# here. So is the last byte, which makes the sum of all bytes 0.

        ROM_BYTES = 0x1000
        CALLS = 74
        API_MAJOR = 3
        API_MINOR = 0
        RELOCATION_NONE = 0
        RELOCATION_CALL = 1
        # The hypervisor has FC000000h and up.
        VIRTUAL_TOP = 0xfc000000
        # The identity that kernels ask for.
        PCI_VENDOR = 0x15ad
        PCI_DEVICE = 0x0801
        CYCLES_PER_SECOND = 100000000

        .text
rom:                                    # linked at 0: an address is an offset
        .word 0xaa55
        .byte ROM_BYTES / 512
        lret                            # what a BIOS far-calls
        .byte 0, 0, 0
        .org 0x07
        .byte 0
        .ascii "cVmi"
        .byte API_MINOR, API_MAJOR
        .byte CALLS
        .byte 0
        .long VIRTUAL_TOP
        .word 0
        .word license
        .word pci_data
        .word plug_and_play
        .long 0

# For the hypervisor, in what the header reserves.
        .org 0x20
        .word table
        .word CALLS
        .word region
        .word REGION_BYTES
        .word init_trap
        .word unknown_trap

        .org 0x80
vmi_init:
        jmp init
        .org 0x88
get_reloc:
        jmp find

        .org 0x90
# EAX: 0 where the kernel is paravirtual from here on.
init:
init_trap:
        ud2
        ret

# EAX: number of a call. EAX: its address, DL: type. Changes ECX and flags.
find:
        cmpl $CALLS, %eax
        jae none
        call 1f
1:      popl %edx
        subl $(1b - rom), %edx
        movzwl %cs:table(%edx, %eax, 2), %ecx
        jecxz none
        leal (%edx, %ecx), %eax
        movl $RELOCATION_CALL, %edx
        ret
none:
unknown_trap:
        ud2                             # says so, and goes on
        xorl %eax, %eax
        movl $RELOCATION_NONE, %edx
        ret

        .balign 4
pci_data:
        .ascii "PCIR"
        .word PCI_VENDOR, PCI_DEVICE
        .word 0                         # vital product data
        .word 24
        .byte 0                         # revision
        .byte 0, 0x80, 0x05             # class: another memory controller
        .word ROM_BYTES / 512
        .byte API_MINOR, API_MAJOR
        .byte 0                         # code for a PC
        .byte 0x80                      # the last image
        .word 0

plug_and_play:
        .ascii "$PnP"
        .byte 1, 2                      # revision, length / 16
        .word 0                         # no other header
        .byte 0, 0
        .long 0
        .word manufacturer
        .word product
        .org plug_and_play + 32

# Kernels take a ROM that says this, and no other.
license:
        .asciz "GPL"
manufacturer:
        .asciz "holdoff"
product:
        .asciz "VMI ROM"

# Calls in the order of their numbers. The table lies behind them.
        .macro CALL number
        .section .table
        .org 2 * \number
        .word stub\number
        .text
        .balign 4
stub\number:
        .endm

# A call that the hypervisor serves by itself.
        .macro HYPERCALL number
        CALL \number
        hlt
        ret
        .endm

        .section .table, "a"
table:
        .text

# 0, CPUID, is in the published region.
CALL 1                                  # WRMSR
        wrmsr
        ret
CALL 2                                  # RDMSR
        rdmsr
        ret
HYPERCALL 3                             # SetGDT
HYPERCALL 4                             # SetLDT
HYPERCALL 5                             # SetIDT
CALL 6                                  # SetTR
        ltr %ax
        ret
HYPERCALL 7                             # GetGDT
CALL 8                                  # GetLDT
        xorl %eax, %eax
        sldt %ax
        ret
HYPERCALL 9                             # GetIDT
CALL 10                                 # GetTR
        xorl %eax, %eax
        str %ax
        ret
HYPERCALL 11                            # WriteGDTEntry
HYPERCALL 12                            # WriteLDTEntry
HYPERCALL 13                            # WriteIDTEntry
HYPERCALL 14                            # UpdateKernelStack
CALL 15                                 # SetCR0
        movl %eax, %cr0
        ret
CALL 16                                 # SetCR2
        movl %eax, %cr2
        ret
CALL 17                                 # SetCR3
        movl %eax, %cr3
        ret
CALL 18                                 # SetCR4
        movl %eax, %cr4
        ret
CALL 19                                 # GetCR0
        movl %cr0, %eax
        ret
CALL 20                                 # GetCR2
        movl %cr2, %eax
        ret
CALL 21                                 # GetCR3
        movl %cr3, %eax
        ret
CALL 22                                 # GetCR4
        movl %cr4, %eax
        ret
CALL 23                                 # WBINVD
        wbinvd
        ret
HYPERCALL 24                            # SetDR
HYPERCALL 25                            # GetDR
CALL 26                                 # RDPMC
        rdpmc
        ret
CALL 27                                 # RDTSC
        rdtsc
        ret
CALL 28                                 # CLTS
        clts
        ret
# So are 29 to 35: EnableInterrupts, DisableInterrupts, GetInterruptMask, SetInterruptMask, IRET, SYSEXIT
# and Halt.
HYPERCALL 36                            # Reboot
HYPERCALL 37                            # Shutdown
HYPERCALL 38                            # SetPxE
HYPERCALL 39                            # SetPxELong
HYPERCALL 40                            # UpdatePxE
HYPERCALL 41                            # UpdatePxELong
HYPERCALL 42                            # MachineToPhysical
HYPERCALL 43                            # PhysicalToMachine
HYPERCALL 44                            # AllocatePage
HYPERCALL 45                            # ReleasePage
CALL 46                                 # InvalPage
        invlpg %ss:(%eax)
        ret
HYPERCALL 47                            # FlushTLB
HYPERCALL 48                            # SetLinearMapping
CALL 49                                 # IN
        inl %dx, %eax
        ret
CALL 50                                 # INB
        inb %dx, %al
        ret
CALL 51                                 # INW
        inw %dx, %ax
        ret
CALL 52                                 # INS
        rep insl
        ret
CALL 53                                 # INSB
        rep insb
        ret
CALL 54                                 # INSW
        rep insw
        ret
CALL 55                                 # OUT
        outl %eax, %dx
        ret
CALL 56                                 # OUTB
        outb %al, %dx
        ret
CALL 57                                 # OUTW
        outw %ax, %dx
        ret
CALL 58                                 # OUTS
        rep outsl
        ret
CALL 59                                 # OUTSB
        rep outsb
        ret
CALL 60                                 # OUTSW
        rep outsw
        ret
# 61, SetIOPLMask, is in the published region.
HYPERCALL 62                            # SetInitialAPState
HYPERCALL 63                            # APICWrite
HYPERCALL 64                            # APICRead
CALL 65                                 # IODelay: there is no bus to wait for
        ret
CALL 66                                 # GetCycleFrequency
        movl $CYCLES_PER_SECOND, %eax
        xorl %edx, %edx
        ret
HYPERCALL 67                            # GetCycleCounter
HYPERCALL 68                            # SetAlarm
HYPERCALL 69                            # CancelAlarm
HYPERCALL 70                            # GetWallclockTime
HYPERCALL 71                            # WallclockUpdated
# 72 is known to nobody.
HYPERCALL 73                            # SetLazyMode
