# Runs one row's instruction between two sets of registers, and is the program's way to the system.

        .text
        .globl _start, execute, executed, resume, system_call
_start: call program
        ud2

# void execute(void): loads `before`, goes to `code`, and leaves in `after` what it left.
execute:
        pushal
        movl %esp, own_stack
        pushl before + 32
        popfl
        movl before + 0, %eax
        movl before + 4, %ecx
        movl before + 8, %edx
        movl before + 12, %ebx
        movl before + 16, %esp
        movl before + 20, %ebp
        movl before + 24, %esi
        movl before + 28, %edi
        jmp *code
executed:
        movl %esp, after + 16
        movl own_stack, %esp
        pushfl
        popl after + 32
        movl %eax, after + 0
        movl %ecx, after + 4
        movl %edx, after + 8
        movl %ebx, after + 12
        movl %ebp, after + 20
        movl %esi, after + 24
        movl %edi, after + 28
# void resume(void): goes on behind the `execute` under way, out of a signal's handler.
resume: movl own_stack, %esp
        cld
        popal
        ret

# int system_call(int number, int, int, int, int)
system_call:
        pushl %ebx
        pushl %esi
        movl 12(%esp), %eax
        movl 16(%esp), %ebx
        movl 20(%esp), %ecx
        movl 24(%esp), %edx
        movl 28(%esp), %esi
        int $0x80
        popl %esi
        popl %ebx
        ret

        .bss
own_stack: .long 0
        .section .note.GNU-stack, "", @progbits
