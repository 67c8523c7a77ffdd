# Text on COM1. Every routine keeps all registers.

        .macro UART_WRITE register, byte
        .word PORT_COM1 + \register
        .byte \byte
        .endm

        .text
# 115200 baud, 8N1, no interrupts, FIFOs on.
FUNCTION console_init
        pushal
        movl $uart_setup, %esi
1:      movzwl (%esi), %edx
        movb 2(%esi), %al
        outb %al, %dx
        addl $3, %esi
        cmpl $uart_setup_end, %esi
        jb 1b
        popal
        ret

# AL: a character.
FUNCTION print_char
        pushl %eax
        pushl %ecx
        pushl %edx
        movl %eax, %ecx
        movw $(PORT_COM1 + 5), %dx
1:      inb %dx, %al
        testb $0x20, %al                # LSR: room for a byte
        jz 1b
        movw $PORT_COM1, %dx
        movb %cl, %al
        outb %al, %dx
        popl %edx
        popl %ecx
        popl %eax
        ret

# EAX: a string that ends with 0.
FUNCTION print
        pushl %eax
        pushl %esi
        movl %eax, %esi
1:      lodsb
        testb %al, %al
        jz 2f
        call print_char
        jmp 1b
2:      popl %esi
        popl %eax
        ret

FUNCTION print_newline
        pushl %eax
        movb $'\n', %al
        call print_char
        popl %eax
        ret

# EAX: an unsigned number.
FUNCTION print_decimal
        pushal
        xorl %ecx, %ecx
        movl $10, %ebx
1:      xorl %edx, %edx
        divl %ebx
        addl $'0', %edx
        pushl %edx
        incl %ecx
        testl %eax, %eax
        jnz 1b
2:      popl %eax
        call print_char
        decl %ecx
        jnz 2b
        popal
        ret

# EAX: a number, printed as 8 hexadecimal digits.
FUNCTION print_hex
        pushal
        movl $8, %ecx
        jmp print_digits
# EAX: a number, its low 16 bits printed as 4 hexadecimal digits.
FUNCTION print_hex16
        pushal
        movl $4, %ecx
        shll $16, %eax
print_digits:
        movl %eax, %ebx
1:      roll $4, %ebx
        movl %ebx, %eax
        andl $15, %eax
        movb hex_digits(%eax), %al
        call print_char
        decl %ecx
        jnz 1b
        popal
        ret

        .section .rodata
hex_digits: .ascii "0123456789abcdef"
# port (a word), byte
uart_setup:
        UART_WRITE 1, 0x00              # no interrupts
        UART_WRITE 3, 0x80              # the divisor: 1
        UART_WRITE 0, 0x01
        UART_WRITE 1, 0x00
        UART_WRITE 3, 0x03              # 8N1
        UART_WRITE 2, 0x07              # FIFOs on and empty
        UART_WRITE 4, 0x03              # DTR, RTS
uart_setup_end:
