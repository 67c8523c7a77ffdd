# A guest of the VMI ROM: finds it as Linux does, enters it, patches its own sites with what it answers, and
# then makes every call that a kernel makes while it runs. Prints a line for each thing that it has checked,
# and ends with status 99 (DONE), 35 (FAILED), or 67 (no ROM).
#
# Selectors and the direct map from C0000000h up are those of Linux on i386.

        OFFSET = 0xc0000000
        KERNEL_CS = 0x60
        KERNEL_DS = 0x68
        USER_CS = 0x73
        USER_DS = 0x7b
        TSS_SELECTOR = 0x80
        LDT_SELECTOR = 0x88
        GDT_ENTRIES = 32
        CR0_PG_WP_PE = 0x80010001
        MSR_SYSENTER_CS = 0x174
        MSR_SYSENTER_ESP = 0x175
        MSR_SYSENTER_EIP = 0x176
        PTE_KERNEL = 3
        PTE_USER = 7
        ROM_FIRST = OFFSET + 0xc0000
        ROM_END = OFFSET + 0xe0000
        ROM_STEP = 0x800
        IRQ_BASE = 0x20
        PORT_EXIT = 0xf4
        EXIT_DONE = 0x31
        EXIT_NO_ROM = 0x21
        EXIT_FAILED = 0x11
        CALLS = 74

        # Calls, by name.
        SET_GDT = 3
        SET_LDT = 4
        SET_IDT = 5
        SET_TR = 6
        WRITE_GDT_ENTRY = 11
        UPDATE_KERNEL_STACK = 14
        SET_CR3 = 17
        GET_CR2 = 20
        GET_CR3 = 21
        ENABLE_INTERRUPTS = 29
        DISABLE_INTERRUPTS = 30
        GET_INTERRUPT_MASK = 31
        SET_INTERRUPT_MASK = 32
        IRET_CALL = 33
        SYSEXIT_CALL = 34
        HALT = 35
        SET_PXE = 38
        ALLOCATE_PAGE = 44
        INVAL_PAGE = 46
        SET_LINEAR_MAPPING = 48
        GET_CYCLE_FREQUENCY = 66
        GET_CYCLE_COUNTER = 67
        SET_ALARM = 68
        CANCEL_ALARM = 69
        GET_WALLCLOCK = 70
        SET_LAZY_MODE = 73

        LAZY_OFF = 0
        LAZY_MMU = 1
        PXE_PT = 0x01
        PXE_CURRENT_AS = 0x10
        PXE_DEFER = 0x20
        ALARM_PERIODIC = 0x100

        .section .multiboot, "a"
        .balign 4
        .long 0x1badb002, 0, -0x1badb002

# A place that is patched: native bytes, with room for a CALL.
        .macro SITE number, bytes:vararg
        .pushsection .sites, "a"
        .long 771f
        .long \number, 773f - 771f
        .popsection
771:    .byte \bytes
772:    .skip 5 - (772b - 771b), 0x90
773:
        .endm

# A call through the table of what the ROM has answered.
        .macro OP number
        call *ops + 4 * \number
        .endm

        .macro CHECK condition
        j\condition 774f
        call failed
774:
        .endm

        .macro PRINT text
        .pushsection .data
775:    .asciz "\text\n"
        .popsection
        pushl %esi
        movl $775b, %esi
        call print
        popl %esi
        .endm

        .text
        .globl start
start:
        cli
        cld
        # Physical addresses until paging is on: the first 4 MiB, at 0 and at OFFSET.
        movl $(page_table - OFFSET), %edi
        movl $PTE_KERNEL, %eax
1:      movl %eax, (%edi)
        addl $4, %edi
        addl $4096, %eax
        cmpl $(0x400000 + PTE_KERNEL), %eax
        jb 1b
        orl $4, page_table - OFFSET + 4 * 0x180
        orl $4, page_table - OFFSET + 4 * 0x181
        movl $(page_table - OFFSET + PTE_USER), %eax
        movl %eax, page_directory - OFFSET
        movl %eax, page_directory - OFFSET + 4 * (OFFSET >> 22)
        movl $(page_directory - OFFSET), %eax
        movl %eax, %cr3
        movl $CR0_PG_WP_PE, %eax
        movl %eax, %cr0
        movl $high, %eax
        jmp *%eax
high:
        movl $stack_top, %esp
        lgdt gdt_pointer
        ljmp $KERNEL_CS, $1f
1:      movl $KERNEL_DS, %eax
        movl %eax, %ss
        movl $USER_DS, %eax
        movl %eax, %ds
        movl %eax, %es
        xorl %eax, %eax
        movl %eax, %fs
        movl %eax, %gs
        call set_gates
        lidt idt_pointer
        call set_pics

# The scan, with the tests of Linux in their order, and the sum besides.
        movl $ROM_FIRST, %ebx
scan:
        cmpw $0xaa55, (%ebx)
        jne 2f
        cmpl $0x696d5663, 8(%ebx)
        jne 2f
        cmpb $3, 0x0d(%ebx)
        jne 2f
        cmpw $0, 0x18(%ebx)
        je 2f
        movzwl 0x16(%ebx), %eax
        cmpl $0x004c5047, (%ebx, %eax)      # "GPL"
        je found
2:      addl $ROM_STEP, %ebx
        cmpl $ROM_END, %ebx
        jb scan
        PRINT "no ROM"
        movb $EXIT_NO_ROM, %al
        jmp exit
found:
        movl %ebx, rom
        movzbl 2(%ebx), %ecx
        shll $9, %ecx
        movl %ebx, %esi
        xorb %dl, %dl
1:      addb (%esi), %dl
        incl %esi
        decl %ecx
        jnz 1b
        testb %dl, %dl
        CHECK z
        movl $0xb00b1e5, %esi
        movl $0xdeadbee, %edi
        leal 0x80(%ebx), %eax
        call *%eax
        testl %eax, %eax
        CHECK z
        cmpl $0xb00b1e5, %esi
        CHECK e
        cmpl $0xdeadbee, %edi
        CHECK e
        cmpl %ebx, rom
        CHECK e
        movl %cs, %eax
        andl $3, %eax
        cmpl $1, %eax
        CHECK e
        PRINT "the kernel is at CPL 1"

# What the ROM answers for each call, and then the sites.
        xorl %ebp, %ebp
1:      movl %ebp, %eax
        leal 0x88(%ebx), %ecx
        call *%ecx
        movl %eax, ops(, %ebp, 4)
        movb %dl, types(%ebp)
        incl %ebp
        cmpl $CALLS, %ebp
        jb 1b
        call patch
        PRINT "the sites are patched"

        # A second Init fails, and changes nothing.
        leal 0x80(%ebx), %eax
        call *%eax
        testl %eax, %eax
        CHECK nz
        call bring_up
        .globl ready
ready:
        call check_interrupts
        call check_alarms
        call check_pages
        call check_user
        PRINT "DONE"
        movb $EXIT_DONE, %al
exit:
        outb %al, $PORT_EXIT
failed:
        PRINT "FAILED"
        movb $EXIT_FAILED, %al
        jmp exit

# Overwrites each site with a CALL to its call's address, and NOPs.
patch:
        movl $sites, %esi
1:      cmpl $sites_end, %esi
        jae 3f
        movl (%esi), %edi
        movl 4(%esi), %eax
        cmpb $1, types(%eax)
        CHECK e
        movl ops(, %eax, 4), %eax
        subl %edi, %eax
        subl $5, %eax
        movb $0xe8, (%edi)
        movl %eax, 1(%edi)
        movl 8(%esi), %ecx
        subl $5, %ecx
        addl $5, %edi
        movb $0x90, %al
        rep stosb
        addl $12, %esi
        jmp 1b
3:      ret

# Tables and stack, by calls. ESI: unchanged.
bring_up:
        pushl $0
        movl $(OFFSET >> 12), %ecx
        movl $0x400, %ecx
        movl $OFFSET, %edx
        xorl %eax, %eax
        OP SET_LINEAR_MAPPING
        addl $4, %esp
        movl $gdt_pointer, %eax
        OP SET_GDT
        movl $idt_pointer, %eax
        OP SET_IDT
        # The TSS and its descriptor.
        movl $tss, %edx
        movl %edx, %ecx
        shll $16, %ecx
        orl $0x67, %ecx
        movl %edx, %eax
        andl $0xff000000, %eax
        shrl $16, %edx
        movb %dl, %al
        movb $0x89, %ah
        pushl %eax
        movl $(TSS_SELECTOR >> 3), %edx
        movl $gdt, %eax
        OP WRITE_GDT_ENTRY
        addl $4, %esp
        movl $KERNEL_DS, tss + 8
        movl $stack_top, tss + 4
        movl $TSS_SELECTOR, %eax
        OP SET_TR
        xorl %eax, %eax
        OP SET_LDT
        movl $KERNEL_DS, %eax
        movl $user_entry_stack_top, %edx
        OP UPDATE_KERNEL_STACK
        # The page directory and its table.
        movl $(page_directory - OFFSET), %eax
        shrl $12, %eax
        movl $0x42, %edx
        xorl %ecx, %ecx
        pushl $0
        pushl $0
        OP ALLOCATE_PAGE
        movl $(page_table - OFFSET), %eax
        shrl $12, %eax
        movl $0x41, %edx
        xorl %ecx, %ecx
        OP ALLOCATE_PAGE
        addl $8, %esp
        xorl %edx, %edx
        movl $MSR_SYSENTER_CS, %ecx
        movl $KERNEL_CS, %eax
        wrmsr
        movl $MSR_SYSENTER_ESP, %ecx
        movl $user_entry_stack_top, %eax
        wrmsr
        movl $MSR_SYSENTER_EIP, %ecx
        movl $sysenter_entry, %eax
        wrmsr
        ret

# Virtual IF through the patched sites.
check_interrupts:
        SITE GET_INTERRUPT_MASK, 0x9c, 0x58
        testl %eax, %eax
        CHECK z
        SITE ENABLE_INTERRUPTS, 0xfb
        SITE GET_INTERRUPT_MASK, 0x9c, 0x58
        cmpl $0x200, %eax
        CHECK e
        SITE DISABLE_INTERRUPTS, 0xfa
        SITE GET_INTERRUPT_MASK, 0x9c, 0x58
        testl %eax, %eax
        CHECK z
        movl $0x246, %eax
        SITE SET_INTERRUPT_MASK, 0x50, 0x9d
        SITE GET_INTERRUPT_MASK, 0x9c, 0x58
        cmpl $0x200, %eax
        CHECK e
        movl $0x46, %eax
        SITE SET_INTERRUPT_MASK, 0x50, 0x9d
        SITE GET_INTERRUPT_MASK, 0x9c, 0x58
        testl %eax, %eax
        CHECK z
        PRINT "virtual IF is as it was set"
        ret

# A periodic alarm of 1 kHz, 8 ticks of it; then one that comes once. The kernel halts between them.
check_alarms:
        OP GET_CYCLE_FREQUENCY
        testl %edx, %edx
        CHECK z
        xorl %edx, %edx
        movl $1000, %ecx
        divl %ecx
        movl %eax, period
        xorl %eax, %eax
        OP GET_CYCLE_COUNTER
        movl %eax, last_cycles
        movl %edx, last_cycles + 4
        pushl $0
        pushl period
        movl %edx, %ecx
        movl %eax, %edx
        movl $ALARM_PERIODIC, %eax
        OP SET_ALARM
        addl $8, %esp
1:      SITE DISABLE_INTERRUPTS, 0xfa
        cmpl $8, ticks
        jae 2f
        SITE HALT, 0xfb, 0xf4
        jmp 1b
2:      movl $ALARM_PERIODIC, %eax
        OP CANCEL_ALARM
        cmpl $1, %eax
        CHECK e
        movl $ALARM_PERIODIC, %eax
        OP CANCEL_ALARM
        testl %eax, %eax
        CHECK z
        xorl %eax, %eax
        OP GET_CYCLE_COUNTER
        cmpl last_cycles + 4, %edx
        jne 3f
        cmpl last_cycles, %eax
3:      CHECK ae
        PRINT "a periodic alarm came"

        movl $0, ticks
        movl $1, %eax
        OP GET_CYCLE_COUNTER
        pushl $0
        pushl $0
        movl %edx, %ecx
        movl %eax, %edx
        addl period, %edx
        adcl $0, %ecx
        movl $1, %eax
        OP SET_ALARM
        addl $8, %esp
4:      SITE DISABLE_INTERRUPTS, 0xfa
        cmpl $1, ticks
        jae 5f
        SITE HALT, 0xfb, 0xf4
        jmp 4b
5:      movl $1, %eax
        OP CANCEL_ALARM
        testl %eax, %eax
        CHECK z
        OP GET_WALLCLOCK
        testl %edx, %edx
        CHECK nz
        movl %eax, %esi
        movl %edx, %edi
        OP GET_WALLCLOCK
        subl %esi, %eax
        sbbl %edi, %edx
        CHECK ae
        PRINT "an alarm came once, and the wallclock goes"
        ret

# Updates of the table that maps `window`: at once, deferred, and found by a page fault.
check_pages:
        movl $(window_entry + PXE_PT * 0), %edx
        movl $((page_table - OFFSET) + PTE_KERNEL), %eax
        movl $PXE_PT, %ecx
        OP SET_PXE
        movl window, %eax
        cmpl page_table, %eax
        CHECK e
        movl $LAZY_MMU, %eax
        OP SET_LAZY_MODE
        movl $((stack - OFFSET) + PTE_KERNEL), %eax
        movl $window_entry, %edx
        movl $(window + PXE_PT + PXE_CURRENT_AS + PXE_DEFER), %ecx
        OP SET_PXE
        movl $window, %eax
        OP INVAL_PAGE
        movl $0x5eed, stack
        cmpl $0x5eed, window
        CHECK e
        # A page that is not there, but soon will be: no fault is seen.
        xorl %eax, %eax
        movl $window_entry, %edx
        movl $PXE_PT, %ecx
        OP SET_PXE
        movl $((stack - OFFSET) + PTE_KERNEL), %eax
        movl $window_entry, %edx
        movl $(window + PXE_PT + PXE_CURRENT_AS + PXE_DEFER), %ecx
        OP SET_PXE
        cmpl $0x5eed, window
        CHECK e
        movl $LAZY_OFF, %eax
        OP SET_LAZY_MODE
        OP GET_CR3
        OP SET_CR3
        PRINT "page-table updates are seen when they must be"
        ret

# To user mode and back: by IRET and INT 80h, by SYSEXIT and SYSENTER.
check_user:
        popl %eax
        movl %eax, after_user
        movl $USER_DS, %eax
        movl %eax, %fs
        pushl $USER_DS
        pushl $user_stack_top
        pushl $0x202
        pushl $USER_CS
        pushl $user_code
        .globl iret_site
iret_site:
        SITE IRET_CALL, 0xcf

int80:
        cmpl $0x11, %eax
        CHECK e
        movl %cs, %ecx
        andl $3, %ecx
        cmpl $1, %ecx
        CHECK e
        movl 4(%esp), %ecx
        andl $3, %ecx
        cmpl $3, %ecx
        CHECK e
        testl $0x200, 8(%esp)
        CHECK nz
        movl $user_after_int, %edx
        movl $user_stack_top, %ecx
        .globl sysexit_site
sysexit_site:
        SITE SYSEXIT_CALL, 0xfb, 0x0f, 0x35

sysenter_entry:
        cmpl $0x22, %eax
        CHECK e
        SITE GET_INTERRUPT_MASK, 0x9c, 0x58
        testl %eax, %eax
        CHECK z
        PRINT "user mode was entered and left both ways"
        jmp *after_user

irq0:
        pushl %eax
        incl ticks
        movb $0x20, %al
        outb %al, $0x20
        popl %eax
        SITE IRET_CALL, 0xcf

# Every gate leads to a loop of its own at trap + 16 * vector; IRQ 0 and INT 80h to what they are for.
set_gates:
        movl $idt, %edi
        movl $trap, %ebx
1:      movl %ebx, %eax
        movl $0x8e00, %edx
        call write_gate
        addl $16, %ebx
        cmpl $(trap + 16 * 256), %ebx
        jb 1b
        movl $(idt + 8 * IRQ_BASE), %edi
        movl $irq0, %eax
        movl $0x8e00, %edx
        call write_gate
        movl $(idt + 8 * 0x80), %edi
        movl $int80, %eax
        movl $0xee00, %edx
write_gate:
        movl %eax, %ecx
        andl $0xffff, %ecx
        orl $(KERNEL_CS << 16), %ecx
        movl %ecx, (%edi)
        movw %dx, %ax
        movl %eax, 4(%edi)
        addl $8, %edi
        ret

set_pics:
        movl $pic_setup, %esi
1:      lodsw
        testw %ax, %ax
        jz 2f
        movzbl %al, %edx
        movb %ah, %al
        outb %al, %dx
        jmp 1b
2:      ret

# ESI: a string.
print:
        pushal
1:      lodsb
        testb %al, %al
        jz 3f
        movb %al, %bl
        movw $0x3fd, %dx
2:      inb %dx, %al
        testb $0x20, %al
        jz 2b
        movb %bl, %al
        movw $0x3f8, %dx
        outb %al, %dx
        jmp 1b
3:      popal
        ret

        .balign 16
        .globl trap
trap:
        .rept 256
        jmp .
        .balign 16
        .endr

# One site for each call, for tests that set the registers themselves.
        .altmacro
        .macro NUMBERED number
        .globl site\number
site\number:
        SITE \number, 0x0f, 0x0b
        .globl behind\number
behind\number:
        jmp .
        .endm
        NUMBER = 0
        .rept CALLS
        .if NUMBER <> 72
        NUMBERED %NUMBER
        .endif
        NUMBER = NUMBER + 1
        .endr

        .data
        .balign 8
        .globl gdt
gdt:
        .skip KERNEL_CS
        .quad 0x00cf9a000000ffff, 0x00cf92000000ffff
        .quad 0x00cffa000000ffff, 0x00cff2000000ffff
        .quad 0
        .quad 0
        .skip 8 * GDT_ENTRIES - (. - gdt)
        .globl gdt_pointer
gdt_pointer:
        .word 8 * GDT_ENTRIES - 1
        .long gdt
        .globl idt_pointer
idt_pointer:
        .word 8 * 256 - 1
        .long idt
pic_setup:
        .byte 0x20, 0x11, 0x21, IRQ_BASE, 0x21, 4, 0x21, 1
        .byte 0xa0, 0x11, 0xa1, IRQ_BASE + 8, 0xa1, 2, 0xa1, 1
        # IRQ 0 alone.
        .byte 0x21, 0xfe, 0xa1, 0xff
        .byte 0, 0

        .section .bss
        .balign 4096
page_directory: .skip 4096
        .globl page_table
page_table:     .skip 4096
        .globl idt
idt:            .skip 8 * 256
        .balign 4096
stack:          .skip 4096
        .globl stack_top
stack_top:      .skip 4096
        .globl user_entry_stack_top
user_entry_stack_top:
        .globl ops
ops:            .skip 4 * CALLS
types:          .skip CALLS
        .balign 8
        .globl tss
tss:            .skip 104
rom:            .skip 4
        .globl ticks
ticks:          .skip 4
period:         .skip 4
last_cycles:    .skip 8
after_user:     .skip 4
        # A page of the direct map that nothing lies in.
        window = OFFSET + 0x300000
        window_entry = page_table + 4 * 0x300

        .section .user, "ax"
        .globl user_code
user_code:
        movl $0x11, %eax
        int $0x80
user_after_int:
        movl $0x22, %eax
        sysenter
        .globl user_loop
user_loop:
        jmp .
        .balign 4096
        .skip 4096
        .globl user_stack_top
user_stack_top:
