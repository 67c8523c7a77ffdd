# A program of several instructions a line, for source-level steps in both directions.
        .data
total:  .long 0

        .text
        .type add, @function
add:
        pushl %ebp; movl %esp, %ebp                     # enter add
        movl 8(%ebp), %eax; addl 12(%ebp), %eax         # sum
        movl %eax, total; incl total; decl total        # store
        popl %ebp; ret                                  # leave add
        .size add, . - add

        .type work, @function
work:
        pushl %ebp; movl %esp, %ebp                     # enter work
        pushl $2; pushl $1                              # first arguments
        call add                                        # first call
        addl $8, %esp; xorl %ecx, %ecx                  # first clean-up
        pushl $30; pushl %eax                           # second arguments
        call add                                        # second call
        addl $8, %esp                                   # second clean-up
        popl %ebp; ret                                  # leave work
        .size work, . - work

        .globl _start
        .type _start, @function
_start:
        call work                                       # call of work
        movb $0x31, %al; outb %al, $0xf4                # exit
        jmp .
        .size _start, . - _start
