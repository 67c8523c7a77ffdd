/*
 * Executes single x87 instructions on the processor at hand. Build: gcc -m32 -O1 -o execute execute.c
 *
 * stdin and stdout are streams of records of RECORD bytes, one in for one out:
 *   0    the instruction: a byte with its length (at most 15), then its bytes; EBX points at the operand
 *   16   the state as FNSAVE writes it in 32-bit protected mode, 108 bytes
 *   124  EAX
 *   128  EFLAGS (the arithmetic flags of it are used)
 *   132  the memory operand, 112 bytes
 *   244  the number of the signal that the instruction got, 0 for none; ignored on the way in
 * Instruction and data pointer come back as if the instruction were at CODE, and its operand at OPERAND.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { RECORD = 248, STATE = 108, BATCH = 1024 };
enum { FIP = 12, FDP = 20, ARITHMETIC = 0x8d5 };
enum { CODE = 0x1000, OPERAND = 0x2000 };

struct record {
    uint8_t length, code[15];
    uint8_t state[STATE];
    uint32_t eax, eflags;
    uint8_t operand[112];
    uint32_t signal;
};

static struct record record __attribute__((aligned(16)));
static struct record batch[BATCH];
static uint8_t *code;
static uint32_t flags;
static sigjmp_buf after_signal;

static void on_signal(int number)
{
    siglongjmp(after_signal, number);
}

static void __attribute__((noinline)) execute(void)
{
    __asm__ volatile("frstor %[state]\n\t"
                     "pushl %[flags]\n\t"
                     "popfl\n\t"
                     "call *%[code]\n\t"
                     "fnsave %[state]\n\t"
                     "pushfl\n\t"
                     "popl %[flags]"
                     : [state] "+m"(record.state), [flags] "+m"(flags), "+a"(record.eax)
                     : [code] "r"(code), "b"(record.operand)
                     : "memory", "cc", "ecx", "edx");
}

/* a pointer of the state that points into something comes back as if that were elsewhere */
static void relate(int offset, const void *base, size_t size, uint32_t as)
{
    uint32_t pointer;
    memcpy(&pointer, record.state + offset, sizeof pointer);
    if (pointer - (uintptr_t)base >= size)
        return;
    pointer = pointer - (uintptr_t)base + as;
    memcpy(record.state + offset, &pointer, sizeof pointer);
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
    static size_t count, i; /* not in registers, which a signal loses */

    _Static_assert(sizeof record == RECORD, "records have no padding");
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    while ((count = fread(batch, RECORD, BATCH, stdin)) > 0) {
        for (i = 0; i < count; i++) {
            record = batch[i];
            memcpy(code, record.code, record.length);
            code[record.length] = 0xc3;
            flags = (record.eflags & ARITHMETIC) | 2;
            record.signal = sigsetjmp(after_signal, 0);
            if (record.signal == 0)
                execute();
            record.eflags = flags & ARITHMETIC;
            relate(FIP, code, sizeof record.code, CODE);
            relate(FDP, record.operand, sizeof record.operand, OPERAND);
            batch[i] = record;
        }
        if (fwrite(batch, RECORD, count, stdout) != count)
            return 1;
    }
    return 0;
}
