# From the Multiboot loader to the first user instruction: descriptor tables, pages, chips, tasks.

        MULTIBOOT_MAGIC = 0x1badb002
        MULTIBOOT_FLAGS = 0x00000003    # modules on page boundaries, memory sizes
        MULTIBOOT_LOADED = 0x2badb002

        .section .multiboot, "a"
        .balign 4
        .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

        .text
FUNCTION _start
        movl $boot_stack_top, %esp
        CLI
        cld
        movl %eax, %ebx
        call console_init
        cmpl $MULTIBOOT_LOADED, %ebx
        movl $text_not_multiboot, %eax
        jne fail
        call attach_rom
        call set_segments
        call set_gates
        call set_paging
        call set_sysenter
        call set_tasks
        call set_timer
        call print_banner
        # The first task is entered the way any other switch ends: schedule() returns on its stack.
        movl current, %edi
        jmp switch_stack

# Loads the GDT, the LDT and the TSS.
FUNCTION set_segments
        movl $gdt_pointer, %eax
        SET_GDT
        ljmp $KERNEL_CS, $1f
1:      movw $KERNEL_DS, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        xorl %eax, %eax
        movw %ax, %fs
        movw %ax, %gs
        movl $segments, %esi
2:      movl (%esi), %edi               # the base
        movl %edi, %ecx
        shll $16, %ecx
        movw 4(%esi), %cx               # the limit
        movl %edi, %ebx
        andl $0xff000000, %ebx
        movl %edi, %eax
        shrl $16, %eax
        movb %al, %bl
        movb 7(%esi), %bh               # type and privilege
        movzbl 6(%esi), %edx            # the selector
        shrl $3, %edx
        movl $gdt, %eax
        testb $SELECTOR_LDT, 6(%esi)
        jnz 3f
        WRITE_ENTRY ROM_WRITE_GDT_ENTRY
        jmp 4f
3:      movl $ldt, %eax
        WRITE_ENTRY ROM_WRITE_LDT_ENTRY
4:      addl $8, %esi
        cmpl $segments_end, %esi
        jb 2b
        movl $LDT_SELECTOR, %eax
        SET_LDT
        movl $TSS_SELECTOR, %eax
        SET_TR
        ret

# Fills the IDT: every vector gets the gate for what nobody expects, then those in `gates` get theirs.
# All are interrupt gates: the kernel looks at its flags before it lets an interrupt in.
FUNCTION set_gates
        xorl %edi, %edi
1:      movl $unexpected_vector, %ecx
        movl $0x8e00, %ebx
        call write_gate
        incl %edi
        cmpl $256, %edi
        jb 1b
        movl $gates, %esi
2:      lodsl
        movzbl %al, %edi
        movl %eax, %ebx
        andl $0xff00, %ebx
        lodsl
        movl %eax, %ecx
        call write_gate
        cmpl $gates_end, %esi
        jb 2b
        movl $idt_pointer, %eax
        SET_IDT
        ret

# EDI: the vector, ECX: the handler, EBX: type and privilege in bits 8 to 15. Keeps ESI, EDI.
FUNCTION write_gate
        movl %ecx, %eax
        andl $0xffff0000, %eax
        orl %eax, %ebx
        andl $0xffff, %ecx
        orl $(KERNEL_CS << 16), %ecx
        movl %edi, %edx
        movl $idt, %eax
        WRITE_ENTRY ROM_WRITE_IDT_ENTRY
        ret

# Maps the kernel's pages for the kernel and the user's for both, each at its own physical address,
# and nothing else: page 0 is not there, and code is read-only even to the kernel.
FUNCTION set_paging
        movl $page_directory, %eax
        movl $PAGE_IS_DIRECTORY, %edx
        call register_table
        movl $page_table, %eax
        movl $PAGE_IS_TABLE, %edx
        call register_table
        call set_linear_mapping
        movl $page_table, %eax
        orl $(PTE_PRESENT | PTE_WRITABLE | PTE_USER), %eax
        movl $page_directory, %edx
        movl $PXE_PD, %ecx
        SET_PXE
        movl $mappings, %esi
1:      movl (%esi), %edi               # first byte
2:      movl %edi, %edx
        shrl $12, %edx
        leal page_table(,%edx,4), %edx
        movl 8(%esi), %eax              # bits of the entry
        orl %edi, %eax
        movl $PXE_PT, %ecx
        SET_PXE
        addl $4096, %edi
        cmpl 4(%esi), %edi              # first byte behind
        jb 2b
        addl $12, %esi
        cmpl $mappings_end, %esi
        jb 1b
        movl $page_directory, %eax
        SET_CR3
        # MP with TS makes WAIT trap, which is how the tasks reach device_not_available. EM is clear.
        movl $(CR0_PG | CR0_WP | CR0_NE | CR0_TS | CR0_MP | CR0_PE), %eax
        SET_CR0
        jmp 1f
1:      ret

FUNCTION set_sysenter
        movl $1, %eax
        CPUID
        testl $CPUID_SEP, %edx
        movl $text_no_sysenter, %eax
        jz fail
        incl cpuids
        movl $sysenter_msrs, %esi
1:      lodsl
        movl %eax, %ecx
        lodsl
        xorl %edx, %edx
        WRMSR
        movl -8(%esi), %ecx
        RDMSR
        cmpl -4(%esi), %eax
        movl $text_msr, %eax
        jne fail
        incl msrs
        cmpl $sysenter_msrs_end, %esi
        jb 1b
        ret

# Gives each task a kernel stack that looks as if the task had been switched away from just before its
# first return to user mode.
FUNCTION set_tasks
        movl $thread_a, %edi
        movl $task_a, %eax
        movl $user_stack_a_top, %edx
        call set_task
        movl $thread_b, %edi
        movl $task_b, %eax
        movl $user_stack_b_top, %edx
# EDI: the task, EAX: its first instruction, EDX: its user stack.
FUNCTION set_task
        movl TASK_ESP0(%edi), %ebx
        subl $FRAME_BYTES, %ebx
        movl $USER_DS, FRAME_ES(%ebx)
        movl $USER_DS, FRAME_DS(%ebx)
        movl %eax, FRAME_EIP(%ebx)
        movl $USER_CS, FRAME_CS(%ebx)
        movl $(EFLAGS_IF | EFLAGS_RESERVED), FRAME_EFLAGS(%ebx)
        movl %edx, FRAME_ESP(%ebx)
        movl $USER_DS, FRAME_SS(%ebx)
        # What schedule() pops: EDI, ESI, EBX, EBP, EFLAGS (IF alone), and where it returns to.
        subl $24, %ebx
        movl $EFLAGS_RESERVED, 16(%ebx)
        movl $ret_from_fork, 20(%ebx)
        movl %ebx, TASK_ESP(%edi)
        ret

# IRQ 0 to 15 become vectors 0x20 to 0x2f, all masked but the timer; channel 0 runs at HZ in mode 2. Where
# there is a ROM, its alarms take the place of channel 0.
FUNCTION set_timer
        movb $0x11, %al                 # ICW1: cascade, edges, ICW4 follows
        outb %al, $PORT_PIC1
        outb %al, $PORT_PIC2
        movb $IRQ_BASE, %al             # ICW2: vectors
        outb %al, $PORT_PIC1 + 1
        movb $IRQ_BASE + 8, %al
        outb %al, $PORT_PIC2 + 1
        movb $4, %al                    # ICW3: the slave hangs on IRQ 2
        outb %al, $PORT_PIC1 + 1
        movb $2, %al
        outb %al, $PORT_PIC2 + 1
        movb $1, %al                    # ICW4: 8086 mode, EOI by hand
        outb %al, $PORT_PIC1 + 1
        outb %al, $PORT_PIC2 + 1
        movb $0xfe, %al
        outb %al, $PORT_PIC1 + 1
        movb $0xff, %al
        outb %al, $PORT_PIC2 + 1
        cmpl $0, rom
        jne set_alarm
        movb $0x34, %al                 # channel 0, low byte then high byte, mode 2, binary
        outb %al, $PORT_PIT + 3
        movb $(1193182 / HZ) & 0xff, %al
        outb %al, $PORT_PIT
        movb $(1193182 / HZ) >> 8, %al
        outb %al, $PORT_PIT
        ret

FUNCTION print_banner
        PRINT text_banner
        movl $STI_SYSEXIT_PADDING, %eax
        call print_decimal
        PRINT text_banner_rounds
        movl $ROUNDS, %eax
        call print_decimal
        PRINT text_banner_hz
        movl $HZ, %eax
        call print_decimal
        PRINT text_banner_cpl
        movl %cs, %eax
        andl $3, %eax
        call print_decimal
        cmpl $0, rom
        je 1f
        PRINT text_banner_rom
        movl rom, %eax
        call print_hex
1:      call print_newline
        ret

        .section .rodata
text_banner: .asciz "holdoff guest window: "
text_banner_rounds: .asciz " NOPs between STI and SYSEXIT, 2 tasks of "
text_banner_hz: .asciz " rounds, timer at "
text_banner_cpl: .asciz " Hz, kernel at CPL "
text_banner_rom: .asciz ", ROM at "
text_not_multiboot: .asciz "not started by a Multiboot loader"
text_msr: .asciz "an MSR does not read back"
text_no_sysenter: .asciz "CPUID reports no SYSENTER"

        .balign 4
gdt_pointer:
        .word gdt_end - gdt - 1
        .long gdt
        .balign 4
idt_pointer:
        .word 256 * 8 - 1
        .long idt

# vector | type and privilege, handler. 0xee00 may be called from user mode, 0x8e00 may not.
        .balign 4
gates:
        .long 0x8e00 | 0, divide_error
        .long 0x8e00 | 1, debug
        .long 0x8e00 | 2, nmi
        .long 0xee00 | 3, breakpoint
        .long 0xee00 | 4, overflow
        .long 0x8e00 | 5, bounds
        .long 0x8e00 | 6, invalid_opcode
        .long 0x8e00 | VECTOR_NM, device_not_available
        .long 0x8e00 | VECTOR_DF, double_fault
        .long 0x8e00 | 10, invalid_tss
        .long 0x8e00 | VECTOR_NP, segment_not_present
        .long 0x8e00 | VECTOR_SS, stack_segment
        .long 0x8e00 | VECTOR_GP, general_protection
        .long 0x8e00 | VECTOR_PF, page_fault
        .long 0x8e00 | (IRQ_BASE + 0), irq0_entry
        .long 0x8e00 | (IRQ_BASE + 7), irq7_entry
        .long 0xee00 | 0x80, system_call
gates_end:

# register, value
        .balign 4
sysenter_msrs:
        .long MSR_SYSENTER_CS, KERNEL_CS
        .long MSR_SYSENTER_ESP, sysenter_esp0
        .long MSR_SYSENTER_EIP, sysenter_entry
sysenter_msrs_end:

# base; limit (a word), selector, type and privilege (a byte each)
segments:
        .long tss
        .word 0x67
        .byte TSS_SELECTOR, 0x89
        .long ldt
        .word 7
        .byte LDT_SELECTOR, 0x82
        .long stack16
        .word STACK16_BYTES - 1
        .byte STACK16_SS, 0x92
        .long user_text
        .word 0xffff
        .byte USER_SS16, 0xf2
segments_end:

        .data
        .balign 4
# first byte, first byte behind, bits. attach_rom changes the first two.
mappings:
mapping_code:
        .long ROM_FIRST, ROM_FIRST + ROM_CODE_BYTES, PTE_PRESENT
mapping_words:
        .long ROM_FIRST + ROM_CODE_BYTES, ROM_FIRST + ROM_CODE_BYTES + ROM_WORDS_BYTES, PTE_PRESENT | PTE_WRITABLE
        .long kernel_text, kernel_rodata, PTE_PRESENT
        .long kernel_rodata, kernel_data, PTE_PRESENT
        .long kernel_data, kernel_end, PTE_PRESENT | PTE_WRITABLE
        .long user_text, user_data, PTE_PRESENT | PTE_USER
        .long user_data, user_end, PTE_PRESENT | PTE_WRITABLE | PTE_USER
mappings_end:
# Registers that read back what was written, and uses of CPUID.
VARIABLE msrs, 4
        .long 0
VARIABLE cpuids, 4
        .long 0

        .balign 8
VARIABLE gdt, 72
        .quad 0
        .quad 0x00cf9a000000ffff        # KERNEL_CS
        .quad 0x00cf92000000ffff        # KERNEL_DS
        .quad 0x00cffa000000ffff        # USER_CS
        .quad 0x00cff2000000ffff        # USER_DS
        .quad 0                         # TSS_SELECTOR: see `segments`
        .quad 0x00cf7a000000ffff        # ABSENT_CS
        .quad 0                         # LDT_SELECTOR: likewise
        .quad 0                         # STACK16_SS: likewise
gdt_end:

        .balign 8
VARIABLE ldt, 8
        .quad 0                         # USER_SS16: likewise

        .balign 4
VARIABLE tss, 104
        .long 0
        .long 0                         # ESP0, of the task that runs
        .long KERNEL_DS
        .fill 22, 4, 0
        .word 0, 104                    # the I/O bitmap lies behind the limit: no port for the user

        .bss
        .balign 4096
VARIABLE page_directory, 4096
        .space 4096
VARIABLE page_table, 4096
        .space 4096
VARIABLE idt, 2048
        .space 2048
        .space 2048
boot_stack_top:
