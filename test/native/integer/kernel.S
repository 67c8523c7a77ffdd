# A Multiboot kernel that runs the program that is linked into it at CPL 3, under paging: four system
# calls as 32-bit Linux has them, and exceptions as its signals. Text goes to COM1.

        KERNEL_CS = 0x08
        KERNEL_DS = 0x10
        USER_CS = 0x23
        USER_DS = 0x2b
        TSS = 0x30
        PROGRAM = 0x400000

        SYS_EXIT = 1
        SYS_WRITE = 4
        SYS_RT_SIGACTION = 174
        SYS_SIGALTSTACK = 186

        .section .multiboot, "a"
        .balign 4
        .long 0x1badb002, 0, -0x1badb002

        .section .program, "awx"
        .incbin PROGRAM_FILE

        .text
        .globl _start
_start: cli
        cld
        movl $kernel_stack_top, %esp
        movl $tss, %eax
        movw %ax, gdt_tss + 2
        shrl $16, %eax
        movb %al, gdt_tss + 4
        movb %ah, gdt_tss + 7
        lgdt gdt_pointer
        ljmp $KERNEL_CS, $1f
1:      movl $KERNEL_DS, %eax
        movl %eax, %ss
        movl $USER_DS, %eax
        movl %eax, %ds
        movl %eax, %es
        movl $TSS, %eax
        ltr %ax
        movl $stubs, %ebx
        xorl %edi, %edi
2:      call set_gate
        addl $STUB_BYTES, %ebx
        incl %edi
        cmpl $32, %edi
        jne 2b
        movl $0x80, %edi
        movl $system_call, %ebx
        call set_gate
        lidt idt_pointer
        xorl %edi, %edi                 # 64 MiB, linear = physical, 4 MiB pages, for all
3:      movl %edi, %eax
        shll $22, %eax
        orl $0x87, %eax
        movl %eax, directory(,%edi,4)
        incl %edi
        cmpl $16, %edi
        jne 3b
        movl $directory, %eax
        movl %eax, %cr3
        movl $0x10, %eax
        movl %eax, %cr4
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        pushl $USER_DS
        pushl $user_stack_top
        pushl $0x202
        pushl $USER_CS
        pushl $PROGRAM
        iretl

# EDI: vector, EBX: handler. The gate is for all.
set_gate:
        movzwl %bx, %eax
        orl $(KERNEL_CS << 16), %eax
        movl %eax, idt(,%edi,8)
        movl %ebx, %eax
        andl $0xffff0000, %eax
        orl $0xee00, %eax
        movl %eax, idt + 4(,%edi,8)
        ret

system_call:
        cmpl $SYS_WRITE, %eax
        je 2f
        cmpl $SYS_EXIT, %eax
        je 5f
        cmpl $SYS_RT_SIGACTION, %eax
        je 4f
        cmpl $SYS_SIGALTSTACK, %eax
        jne 6f
        movl (%ebx), %eax               # stack_t: its start, flags, size
        addl 8(%ebx), %eax
        movl %eax, signal_stack_top
1:      xorl %eax, %eax
        iretl
2:      pushal                          # ECX: text, EDX: bytes
        movl %ecx, %esi
        movl %edx, %ecx
        jecxz 9f
        movw $0x3f8, %dx
3:      outsb
        loop 3b
9:      popal
        jmp 1b
4:      movl (%ecx), %eax               # one handler for all signals
        movl %eax, signal_handler
        jmp 1b
5:      movl $0x31, %eax                # status 99 is success
        addl %ebx, %eax
        outb %al, $0xf4
6:      cli
        hlt
        jmp 6b

# One stub a vector: an error code, if only 0, and the vector.
        STUB_BYTES = 16
        .balign 16
stubs:
        vector = 0
        .rept 32
        .balign STUB_BYTES
        .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
        .else
        pushl $0
        .endif
        pushl $vector
        jmp exception
        vector = vector + 1
        .endr

# On the stack: vector, error code, EIP, CS, EFLAGS, ESP, SS. Goes to the signal handler with a frame
# as Linux makes it, though only with what the program reads.
exception:
        cld
        testl $3, 12(%esp)
        jz 7f
        pushal
        movl %esp, %esi
        movl signal_stack_top, %edi
        subl $256, %edi
        leal 16(%edi), %ebx             # the ucontext
        movl $0, (%edi)                 # no return address
        movl 32(%esi), %eax
        movl %eax, 4(%edi)              # the vector, instead of the signal
        movl $0, 8(%edi)
        movl %ebx, 12(%edi)
        addl $36, %ebx                  # EDI to EAX, in the order of PUSHA
        xorl %ecx, %ecx
8:      movl (%esi,%ecx,4), %eax
        movl %eax, (%ebx,%ecx,4)
        incl %ecx
        cmpl $8, %ecx
        jne 8b
        movl 52(%esi), %eax
        movl %eax, 12(%ebx)             # ESP of the program
        movl 32(%esi), %eax
        movl %eax, 32(%ebx)             # vector
        movl 36(%esi), %eax
        movl %eax, 36(%ebx)             # error code
        movl 40(%esi), %eax
        movl %eax, 40(%ebx)             # EIP
        movl 48(%esi), %eax
        movl %eax, 48(%ebx)             # EFLAGS
        movl signal_handler, %eax
        movl %eax, 40(%esi)
        movl $0x202, 48(%esi)
        movl %edi, 52(%esi)
        popal
        addl $8, %esp
        iretl
7:      movb $0x32, %al                 # an exception of the kernel
        outb %al, $0xf4
        jmp 6b

        .data
        .balign 8
gdt:    .quad 0
        .quad 0x00cf9a000000ffff, 0x00cf92000000ffff, 0
        .quad 0x00cffa000000ffff, 0x00cff2000000ffff
gdt_tss:
        .quad 0x0000890000000067
gdt_end:
gdt_pointer:
        .word gdt_end - gdt - 1
        .long gdt
idt_pointer:
        .word 256 * 8 - 1
        .long idt
tss:    .long 0, kernel_stack_top, KERNEL_DS
        .fill 22, 4, 0
        .word 0, 104
signal_handler: .long 0
signal_stack_top: .long 0

        .bss
        .balign 4096
directory: .space 4096
idt:    .space 2048
user_stack: .space 16384
user_stack_top:
        .space 16384
kernel_stack_top:
        .section .note.GNU-stack, "", @progbits
