# A hypervisor's ROM: found, entered and asked for its calls as Linux 2.6.21 to 2.6.36 did.

        .text
# Looks for the ROM, and on bare hardware finds none. Else the kernel is at another CPL when this returns,
# and its sites call the ROM.
FUNCTION attach_rom
        movl $ROM_FIRST, %ebx
1:      call check_rom
        je 2f
        addl $ROM_STEP, %ebx
        cmpl $ROM_END, %ebx
        jb 1b
        ret
2:      leal ROM_INIT(%ebx), %eax
        call *%eax
        testl %eax, %eax
        movl $text_rom_init, %eax
        jnz fail
        movl %ebx, rom
        movl %ebx, mapping_code
        addl $ROM_CODE_BYTES, %ebx
        movl %ebx, mapping_code + 4
        movl %ebx, mapping_words
        addl $ROM_WORDS_BYTES, %ebx
        movl %ebx, mapping_words + 4
        movl $KERNEL_DS, kernel_stack_name
        movb $1, rom_pops_stack16
        movl $rom_sites, %esi
3:      call patch_site
        addl $8, %esi
        cmpl $rom_sites_end, %esi
        jb 3b
        ret

# ZF: there is a ROM of the interface at EBX. Changes EAX, ECX, EDX.
FUNCTION check_rom
        cmpw $ROM_SIGNATURE, (%ebx)
        jne 2f
        cmpl $VROM_SIGNATURE, ROM_VROM_SIGNATURE(%ebx)
        jne 2f
        cmpb $ROM_API_MAJOR, ROM_API(%ebx)
        jne 2f
        movzwl ROM_PCI_DATA(%ebx), %eax
        cmpl $0x52494350, (%ebx,%eax)   # "PCIR"
        jne 2f
        movzwl ROM_LICENSE(%ebx), %eax
        cmpl $0x004c5047, (%ebx,%eax)   # "GPL"
        jne 2f
        # Linux doesn't ask for this: a BIOS would. The sum of all bytes is 0.
        movzbl ROM_LENGTH(%ebx), %ecx
        shll $9, %ecx
        xorl %eax, %eax
1:      addb -1(%ebx,%ecx), %al
        decl %ecx
        jnz 1b
        testb %al, %al
2:      ret

# ESI: a record of .vmi.sites. Asks the ROM what to do about the site, and does it.
FUNCTION patch_site
        movzbl 4(%esi), %eax
        movl rom, %ecx
        addl $ROM_GET_RELOC, %ecx
        call *%ecx
        movl (%esi), %edi
        movzbl 5(%esi), %ecx
        cmpb $RELOCATION_NONE, %dl
        je 3f
        cmpb $RELOCATION_NOP, %dl
        je 2f
        movb $0xe8, (%edi)              # CALL rel32
        cmpb $RELOCATION_CALL, %dl
        je 1f
        # Only what doesn't come back can be jumped to.
        cmpb $RELOCATION_JUMP, %dl
        jne no_relocation
        movb $0xe9, (%edi)              # JMP rel32
        cmpb $ROM_IRET, 4(%esi)
        je 1f
        cmpb $ROM_SYSEXIT, 4(%esi)
        jne no_relocation
1:      subl %edi, %eax
        subl $5, %eax
        incl %edi
        stosl
        subl $5, %ecx
2:      movb $0x90, %al
        rep stosb
3:      ret
LABEL no_relocation
        movl $text_relocation, %eax
        jmp fail

# The timer, by alarms that come as IRQ 0: HZ times a second, from now on. The chip that makes them on bare
# hardware is stopped.
FUNCTION set_alarm
        movb $0x3a, %al                 # channel 0, both bytes, mode 5: waits for an edge that never comes
        outb %al, $PORT_PIT + 3
        ROM_ONLY ROM_GET_CYCLE_FREQUENCY
        movl $HZ, %ecx
        divl %ecx
        movl %eax, %ebx
        xorl %eax, %eax                 # the counter of real time
        ROM_ONLY ROM_GET_CYCLE_COUNTER
        addl %ebx, %eax
        adcl $0, %edx
        pushl $0
        pushl %ebx                      # the period
        movl %edx, %ecx
        movl %eax, %edx
        movl $ALARM_PERIODIC, %eax
        ROM_ONLY ROM_SET_ALARM
        addl $8, %esp
        ret

# Has the hypervisor know of a page table. EAX: its page, EDX: PAGE_IS_*.
FUNCTION register_table
        shrl $12, %eax
        xorl %ecx, %ecx                 # the tables that it is a copy of: none
        pushl $0
        pushl $0
        ROM_HINT ROM_ALLOCATE_PAGE
        addl $8, %esp
        ret

# Has the hypervisor know that linear addresses are physical ones.
FUNCTION set_linear_mapping
        xorl %eax, %eax                 # the first of the mappings that can be noted
        xorl %edx, %edx
        movl $1024, %ecx                # 4 MiB
        pushl $0
        ROM_HINT ROM_SET_LINEAR_MAPPING
        addl $4, %esp
        ret

        .section .rodata
text_rom_init: .asciz "Init of the hypervisor's ROM has failed"
text_relocation: .asciz "the ROM answers for a call what its site can't be patched with"

        .data
        .balign 4
# Where the ROM is; 0 where there is none.
VARIABLE rom, 4
        .long 0
# What UPDATE_KERNEL_STACK calls the stack by.
VARIABLE kernel_stack_name, 4
        .long tss
# A hypervisor's IRET restores all of ESP on a 16-bit stack, and wants to be called on a flat one.
VARIABLE rom_pops_stack16, 1
        .byte 0
