# Limits and types of segments as accesses meet them. Intel SDM vol. 3A §5.3, §5.4, §5.5.

        .include "ring0.inc"

        A = SPARE
        STACK = SPARE + 8
        CODE = SPARE + 16

# Loads %es with A, and %ebx with an offset.
        .macro THROUGH_A offset
        movl $A, %eax
        movl %eax, %es
        movl $\offset, %ebx
        GO
        .endm

# Goes on in CODE at 9:.
        .macro ENTER_CODE
        ljmp $CODE, $9f
9:      GO
        .endm

# A stack whose limit the check sets, its base at the start of user_stack.
        .macro STACK_AT pointer
        movl $STACK, %eax
        movl %eax, %ss
        movl $\pointer, %esp
        .endm

test_main:
        .irp access, movb, movw, movl
        .irp offset, 0xfc, 0xfd, 0xfe, 0xff, 0x100, 0xffffffff
        .ifc \access, movb
        TEST "limit FFh, read of 1 byte at \offset"
        SEGMENT A, $0, $0xff, $0x4092
        THROUGH_A \offset
        movb %es:(%ebx), %al
        END
        .endif
        .ifc \access, movw
        TEST "limit FFh, read of 2 bytes at \offset"
        SEGMENT A, $0, $0xff, $0x4092
        THROUGH_A \offset
        movw %es:(%ebx), %ax
        END
        .endif
        .ifc \access, movl
        TEST "limit FFh, read of 4 bytes at \offset"
        SEGMENT A, $0, $0xff, $0x4092
        THROUGH_A \offset
        movl %es:(%ebx), %eax
        END
        .endif
        .endr
        .endr

        TEST "limit 0, read of 1 byte at 0"
        SEGMENT A, $0, $0, $0x4092
        THROUGH_A 0
        movb %es:(%ebx), %al
        END
        TEST "limit 0, read of 2 bytes at 0"
        SEGMENT A, $0, $0, $0x4092
        THROUGH_A 0
        movw %es:(%ebx), %ax
        END
        TEST "limit 0 in pages, read of 4 bytes at FFCh"
        SEGMENT A, $0, $0, $0xc092
        THROUGH_A 0xffc
        movl %es:(%ebx), %eax
        END
        TEST "limit 0 in pages, read of 4 bytes at FFDh"
        SEGMENT A, $0, $0, $0xc092
        THROUGH_A 0xffd
        movl %es:(%ebx), %eax
        END
        TEST "limit FFh, write of 4 bytes at FDh changes nothing"
        SEGMENT A, $scratch, $0xff, $0x4092
        movl $0, scratch + 0xfc
        THROUGH_A 0xfd
        movl %eax, %es:(%ebx)
        END
        TEST "what that write left"
        NOTE scratch+0xfc
        GO
        END
        # With a limit of FFFFFFFFh the manual leaves open whether this faults.
        TEST "all of 4 GiB, read of 4 bytes at FFFFFFFEh"
        GO
        movl 0xfffffffe, %eax
        END
        TEST "read-modify-write of read-only data"
        SEGMENT A, $scratch, $0xff, $0x4090
        THROUGH_A 0
        addl $1, %es:(%ebx)
        END
        TEST "write of read-only data"
        SEGMENT A, $scratch, $0xff, $0x4090
        THROUGH_A 0
        movl %eax, %es:(%ebx)
        END
        TEST "read of read-only data"
        SEGMENT A, $scratch, $0xff, $0x4090
        THROUGH_A 0
        movl %es:(%ebx), %eax
        END
        TEST "write through cs"
        GO
        movl %eax, %cs:scratch
        END
        TEST "read through cs"
        GO
        movl %cs:scratch, %eax
        END
        TEST "read through a cs that may only be executed"
        SEGMENT CODE, $0, $0xfffff, $0xc098
        ENTER_CODE
        movl %cs:scratch, %eax
        END

# --- expand-down ---
        .irp offset, 0xffc, 0xfff, 0x1000, 0xffff, 0x10000, 0xfffffffc
        TEST "expand-down from FFFh, 32 bits, read of 4 bytes at \offset"
        SEGMENT A, $0, $0xfff, $0x4096
        THROUGH_A \offset
        movl %es:(%ebx), %eax
        END
        TEST "expand-down from FFFh, 16 bits, read of 1 byte at \offset"
        SEGMENT A, $0, $0xfff, $0x0096
        THROUGH_A \offset
        movb %es:(%ebx), %al
        END
        .endr
        TEST "expand-down from FFFh, 32 bits, read of 4 bytes at FFFFFFFDh"
        SEGMENT A, $0, $0xfff, $0x4096
        THROUGH_A 0xfffffffd
        movl %es:(%ebx), %eax
        END
        TEST "expand-down from FFFh, 16 bits, read of 2 bytes at FFFFh"
        SEGMENT A, $0, $0xfff, $0x0096
        THROUGH_A 0xffff
        movw %es:(%ebx), %ax
        END
        TEST "expand-down from FFFh, 16 bits, read of 4 bytes at FFFCh"
        SEGMENT A, $0, $0xfff, $0x0096
        THROUGH_A 0xfffc
        movl %es:(%ebx), %eax
        END
        TEST "expand-down from 0 in pages, read of 1 byte at FFFh"
        SEGMENT A, $0, $0, $0xc096
        THROUGH_A 0xfff
        movb %es:(%ebx), %al
        END
        TEST "expand-down from 0 in pages, read of 1 byte at 1000h"
        SEGMENT A, $0, $0, $0xc096
        THROUGH_A 0x1000
        movb %es:(%ebx), %al
        END
        TEST "expand-down from FFFFFFFFh has nothing"
        SEGMENT A, $0, $0xfffff, $0xc096
        THROUGH_A 0xffffffff
        movb %es:(%ebx), %al
        END
        TEST "expand-down from FFFEh, 16 bits, has one byte"
        SEGMENT A, $0, $0xfffe, $0x0096
        THROUGH_A 0xffff
        movb %es:(%ebx), %al
        END

# --- the stack; a handler of #SS has its own, behind a task gate, or the check a stack that it fits ---
        TEST "beyond the limit through ss"
        SEGMENT A, $0, $0xfffff, $0x4092
        GO
        movl %ss:0xffffffff, %eax
        END
        TEST "beyond the limit through ss and EBP"
        SEGMENT STACK, $0, $0x1ff, $0xc092
        movl $0x3fffffff, %ebp
        GO
        movl %ss, %ecx
        movl $STACK, %eax
        movl %eax, %ss
        movl (%ebp), %eax
        END
        TEST "the same through fs"
        SEGMENT A, $0, $0x1ff, $0xc092
        movl $0x3fffffff, %ebp
        movl $A, %eax
        movl %eax, %fs
        GO
        movl %fs:(%ebp), %eax
        END
        TEST "CPL 3: push below the limit of an expand-down stack leaves ESP"
        SEGMENT STACK, $user_stack, $0xff, $0x40f6
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0x102, %esp
        pushl %eax
        USER_END
        TEST "CPL 3: push onto the last slot of an expand-down stack"
        SEGMENT STACK, $user_stack, $0xff, $0x40f6
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0x104, %esp
        pushl %eax
        USER_END
        TEST "CPL 3: pusha below the limit leaves ESP and memory"
        SEGMENT STACK, $user_stack, $0xff, $0x40f6
        movl $0, user_stack + 0x10c
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0x110, %esp
        pushal
        USER_END
        TEST "what that pusha left"
        NOTE user_stack+0x10c
        GO
        END
        TEST "CPL 3: pop beyond the limit leaves ESP"
        SEGMENT STACK, $user_stack, $0xff, $0x40f2
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0xfd, %esp
        popl %eax
        USER_END
        TEST "CPL 3: popa beyond the limit"
        SEGMENT STACK, $user_stack, $0xff, $0x40f2
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0xf0, %esp
        popal
        USER_END
        TEST "CPL 3: enter beyond the limit"
        SEGMENT STACK, $user_stack, $0xff, $0x40f6
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0x108, %esp
        enter $8, $0
        USER_END
        TEST "CPL 3: leave beyond the limit"
        SEGMENT STACK, $user_stack, $0xff, $0x40f2
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0xfd, %ebp
        leave
        USER_END
        TEST "CPL 3: call without room for the return address"
        SEGMENT STACK, $user_stack, $0xff, $0x40f6
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0x102, %esp
        call 1f
1:      USER_END
        TEST "CPL 3: push at SP 0 of a 16-bit stack goes to FFFEh"
        SEGMENT STACK, $user_stack_top-0x10000, $0xffff, $0x00f2
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $0x12340000, %esp
        movl $0x5678, %eax
        pushw %ax
        movl user_stack_top - 2, %eax
        movzwl %ax, %eax
        movl %esp, %ebx
        movl $USER_DS, %ecx
        movl %ecx, %ss
        movl $user_stack_top, %esp
        NOTE %eax
        NOTE %ebx
        USER_END
        TEST "CPL 3: push of 2 bytes at SP 1 of a 16-bit stack"
        SEGMENT STACK, $user_stack_top-0x10000, $0xffff, $0x00f2
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $1, %esp
        pushw %ax
        USER_END
        TEST "CPL 3: push of 4 bytes at SP 2 of a 16-bit stack"
        SEGMENT STACK, $user_stack_top-0x10000, $0xffff, $0x00f2
        USER
        movl $STACK + 3, %eax
        movl %eax, %ss
        movl $2, %esp
        pushl %eax
        USER_END

# --- code ---
        TEST "near jump beyond the limit"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        ENTER_CODE
        movl $LANDING, %eax
        jmp *%eax
        END
        TEST "near call beyond the limit leaves ESP"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        ENTER_CODE
        movl $LANDING, %eax
        call *%eax
        END
        TEST "ret beyond the limit leaves ESP"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        ENTER_CODE
        pushl $LANDING
        ret
        END
        TEST "jcc beyond the limit"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        ENTER_CODE
        xorl %eax, %eax
        jz LANDING
        END
        TEST "jcc beyond the limit that is not taken"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        ENTER_CODE
        xorl %eax, %eax
        jnz LANDING
        END
        TEST "far jump beyond the limit"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        GO
        ljmp $CODE, $LANDING
        END
        TEST "far call beyond the limit leaves ESP"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        GO
        lcall $CODE, $LANDING
        END
        .irp how, lret, iretl
        TEST "\how beyond the limit leaves ESP"
        SEGMENT CODE, $0, $0x1ff, $0xc09a
        GO
        pushl $2
        pushl $CODE
        pushl $LANDING
        movl %esp, test_stack
        \how
        END
        TEST "\how outward beyond the limit"
        SEGMENT CODE, $0, $0x1ff, $0xc0fa
        GO
        pushl $USER_DS
        pushl $user_stack_top
        .ifc \how, iretl
        pushl $2
        .endif
        pushl $CODE + 3
        pushl $LANDING
        movl %esp, test_stack
        \how
        END
        .endr
        TEST "running on beyond the limit"
        SEGMENT CODE, $0x100000, $code_end-0x100001, $0x409a
        GO
        movl $code_end-0x100000, test_start
        ljmp $CODE, $code_end-0x100001
        END
        TEST "an instruction across the limit"
        SEGMENT CODE, $0x100000, $code_end-0x100000, $0x409a
        GO
        movl $code_end-0x100000, test_start
        ljmp $CODE, $code_end-0x100000
        END
        TEST "jump with an operand size of 16 bits"
        movb $0xcc, 0x7000
        movl $0x12347000, %eax
        GO
        movl $0x7000, test_start
        .byte 0x66
        jmp *%eax
        END

# --- tables ---
        TEST "int beyond the IDT"
        movw $0x30 * 8 - 1, idt_pointer
        lidt idt_pointer
        GO
        int $0x30
        END
        TEST "int across the end of the IDT"
        movw $0x30 * 8 + 6, idt_pointer
        lidt idt_pointer
        GO
        int $0x30
        END
        TEST "int with the last of the IDT"
        movw $0x30 * 8 + 7, idt_pointer
        lidt idt_pointer
        movl $89f, resume
        GO
        int $0x30
89:
        ret

        .balign 16
        nop
        nop
code_end:
        movl $0x12345678, %eax
        ud2
