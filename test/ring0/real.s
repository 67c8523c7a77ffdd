# Real mode and back: vectors, limits, unreal segments, and what is no instruction there.
# Intel SDM vol. 3A §9.9; vol. 3B chapter 20.

        .include "real.inc"

        .macro FAULTS_THERE name, code:vararg
        TEST "\name"
        RUN
        \code
        REAL_END
        .endm

test_main:
# --- vectors ---
        TEST "int and iret: FLAGS, CS, IP pushed, FLAGS in the handler, SP"
        call own_vector
        RUN
        sti
        int $0x31
        cli
        REAL_END 0, 1, 2, 3
        FAULTS_THERE "int3", int3
        FAULTS_THERE "int1", .byte 0xf1
        TEST "into"
        RUN
        movb $0x7f, %al
        incb %al
        into
        REAL_END
        TEST "div by 0: IP is the instruction's"
        RUN
        nop
        xorw %bx, %bx
        div %bl
        REAL_END
        TEST "bound"
        RUN
        movw $1, 0x200
        movw $2, 0x202
        xorw %ax, %ax
        boundw %ax, 0x200
        REAL_END
        FAULTS_THERE "ud2", ud2
        FAULTS_THERE "lock nop", .byte 0xf0, 0x90
        FAULTS_THERE "16 bytes", .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
        TEST "single step"
        RUN
        pushw $0x102
        popf
        nop
        REAL_END
        TEST "int beyond the table's limit"
        movw $0x30 * 4 + 3, real_idt
        RUN
        int $0x31
        REAL_END
        TEST "a table elsewhere"
        movl $0x8000, real_idt + 2
        movl $REAL << 16 | 0x300, 0x8000 + 6 * 4
        movl $HARNESS << 12 | 0x30 * STUB_BYTES, 0x8000 + 0x30 * 4
        movl $0xcd0077b8, PLACE + 0x300 # movw $0x77, %ax; int $0x30
        movl $0x30, PLACE + 0x304
        RUN
        ud2
        REAL_END 0

# --- segments ---
        TEST "16 times the selector: a word at 6FFh:10h is at 700h:0"
        RUN
        movw $0x6ff, %ax
        movw %ax, %es
        movw %es:0x10, %bx
        REAL_END 1
        FAULTS_THERE "2 bytes at FFFFh", movw 0xffff, %ax
        FAULTS_THERE "4 bytes at FFFDh", movl 0xfffd, %eax
        FAULTS_THERE "1 byte at FFFFh", movb 0xffff, %al
        FAULTS_THERE "1 byte at 10000h", .byte 0x67, 0xa0, 0x00, 0x00, 0x01, 0x00
        FAULTS_THERE "1 byte at 10000h through ss", .byte 0x36, 0x67, 0xa0, 0x00, 0x00, 0x01, 0x00
        FAULTS_THERE "2 bytes at FFFFh through ss", movw %ss:0xffff, %ax
        TEST "a push at SP 0 goes to FFFEh"
        RUN
        xorw %sp, %sp
        pushw $0x1234
        movw %ss:0xfffe, %ax
        movw %sp, %bx
        movw $0x800, %sp
        REAL_END 0, 1
        TEST "a write through cs"
        RUN
        movw $0x1234, %cs:0x200
        movw 0x200, %ax
        REAL_END 0
        TEST "beyond 1 MiB: FFFFh:10h"
        RUN
        movw $0xffff, %ax
        movw %ax, %es
        movw %es:0x10, %bx
        xorw $0xb002, %bx               # where the Multiboot header is
        REAL_END 1
        TEST "unreal: a limit of 4 GiB stays, the base stays until the next load"
        SEGMENT BIG, $0x10, $0xfffff, $0xc092
        movl $BIG, %eax
        movl %eax, %gs
        movl $0x12345678, LANDING + 0x10
        RUN
        movl $LANDING, %esi
        .byte 0x67, 0x65, 0x8b, 0x06    # movw %gs:(%esi), %ax
        xorw %bx, %bx
        movw %bx, %gs
        .byte 0x67, 0x65, 0x8b, 0x5e, 0x12 # movw %gs:0x12(%esi), %bx
        REAL_END 0, 1
        TEST "a far jump keeps no more than 16 bits of IP"
        RUN
        ljmp $REAL, $1f-83b
1:      movw %cs, %ax
        REAL_END 0
        TEST "a far call and retf 2: cs, sp"
        RUN
        pushw $0
        lcall $REAL - 1, $1f-83b+16
        movw %sp, %bx
        int $0x30
1:      movw %cs, %ax
        lret $2
        REAL_END 0, 1

# --- flags ---
        TEST "pushfd and popfd: IOPL, NT and AC can be set"
        RUN
        pushl $0x47002
        popfl
        pushfl
        popl %eax
        pushl $2
        popfl
        REAL_END 0
        TEST "iretl: EFLAGS of 32 bits"
        RUN
        pushl $0x40002
        pushl $REAL
        pushl $1f-83b
        iretl
1:      pushfl
        popl %eax
        pushl $2
        popfl
        REAL_END 0

# --- control registers; no instructions there ---
        FAULTS_THERE "clts and smsw are instructions", clts
        TEST "mov from CR0"
        RUN
        movl %cr0, %eax
        andl $0x80000001, %eax
        REAL_END 0
        FAULTS_THERE "sldt", sldt %ax
        FAULTS_THERE "str", str %ax
        FAULTS_THERE "lldt", lldt %ax
        FAULTS_THERE "ltr", ltr %ax
        FAULTS_THERE "lar", lar %ax, %bx
        FAULTS_THERE "lsl", lsl %ax, %bx
        FAULTS_THERE "verr", verr %ax
        FAULTS_THERE "verw", verw %ax
        FAULTS_THERE "arpl", .byte 0x63, 0xc0
        FAULTS_THERE "sysenter", sysenter
        FAULTS_THERE "sysexit", sysexit
        FAULTS_THERE "mov from CR1", .byte 0x0f, 0x20, 0xc8
        TEST "EM: an x87 instruction"
        SET_CR0 4
        RUN
        fnop
        REAL_END
        TEST "in, out, cli, sti and hlt need no privilege"
        RUN
        inb $0x80, %al
        outb %al, $0x80
        sti
        cli
        REAL_END

# --- a breakpoint; QEMU 7.2 crashes at one on an instruction here ---
        TEST "breakpoint on a write"
        movl $PLACE + 0x200, %eax
        movl %eax, %dr0
        movl $0x00050402, %eax
        movl %eax, %dr7
        RUN
        movw %ax, 0x1fe
        movw %ax, 0x200
        nop
        REAL_END
        ret
