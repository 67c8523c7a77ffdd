/*
 * Runs each instruction of instructions.S with generated operands, folds what came out into a checksum
 * for every block of operands, and prints them: "name, block, checksum". A flag that the manual leaves
 * undefined is left out. Built with DETAIL_ROW and DETAIL_BLOCK it prints that block's operands and
 * results instead.
 *
 * It needs four system calls (write, exit, rt_sigaction, sigaltstack) and the signals' frames as 32-bit
 * Linux has them, and nothing else.
 */
#include "setups.h"

typedef unsigned char byte;
typedef unsigned int word;

enum { BLOCKS = 4, ROUNDS = 32 };
enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, REGISTERS };
enum { OPERAND_WORDS = 48, STACK_WORDS = 80, STACK_USED = 60 };
enum { CF = 1, AF = 0x10, OF = 0x800, ALL = 0xcd5, DF = 0x400, IF = 0x200 };
enum { SYS_EXIT = 1, SYS_WRITE = 4, SYS_RT_SIGACTION = 174, SYS_SIGALTSTACK = 186 };
enum { SIGILL = 4, SIGTRAP, SIGBUS = 7, SIGFPE, SIGSEGV = 11 };
enum { SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000 };

struct registers {
    word general[REGISTERS];
    word eflags;
    word exception; /* 0, or the vector and 1 */
    word error;
    word eip; /* of an exception, from the row's code */
};

struct row {
    const char *name;
    word code, setup, mask;
};

extern const struct row table[];
void execute(void);
void resume(void) __attribute__((noreturn));
int system_call(int number, word a, word b, word c, word d);

struct registers before, after;
word code;
word operand[OPERAND_WORDS + 40];
static word stack[STACK_WORDS];
static byte signal_stack[8192];

static char text[4096];
static word text_length;

static void flush(void)
{
    system_call(SYS_WRITE, 1, (word)text, text_length, 0);
    text_length = 0;
}

static void put(char c)
{
    text[text_length++] = c;
    if (text_length == sizeof text)
        flush();
}

static void put_text(const char *s)
{
    while (*s)
        put(*s++);
}

static void put_hex(word value)
{
    put(' ');
    for (int shift = 28; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

/* i386 Linux: the frame's sigcontext is 20 bytes into the ucontext. */
static void on_signal(int number, void *info, const word *context)
{
    enum { CONTEXT = 5, UC_EDI = 4, UC_TRAPNO = 12, UC_ERROR, UC_EIP, UC_CS, UC_EFLAGS };
    static const int where[REGISTERS] = {11, 10, 9, 8, 7, 6, 5, 4};

    (void)number, (void)info;
    for (int i = 0; i < REGISTERS; i++)
        after.general[i] = context[CONTEXT + where[i]];
    after.eflags = context[CONTEXT + UC_EFLAGS];
    after.exception = context[CONTEXT + UC_TRAPNO] + 1;
    after.error = context[CONTEXT + UC_ERROR];
    after.eip = context[CONTEXT + UC_EIP] - code;
    resume();
}

static void catch_signals(void)
{
    static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
    word alternate[] = {(word)signal_stack, 0, sizeof signal_stack};
    word action[] = {(word)on_signal, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, 0, 0, 0};

    system_call(SYS_SIGALTSTACK, (word)alternate, 0, 0, 0);
    for (word i = 0; i < sizeof signals / sizeof *signals; i++)
        system_call(SYS_RT_SIGACTION, signals[i], (word)action, 0, 8);
}

static word seed;

static word random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed ^ seed >> 15;
}

/* A value that is often at the edge of something. */
static word value(void)
{
    word bits = random();
    word shift = bits >> 8 & 31;

    switch (bits & 7) {
    case 0:
        return 1u << shift;
    case 1:
        return (1u << shift) - 1;
    case 2:
        return (int)(bits << 16) >> 24;
    case 3:
        return bits & 0x10000 ? 0x80808080 : bits & 0x20000 ? 0x7f7f7f7f : bits & 0x40000 ? ~0u : 0;
    default:
        return random();
    }
}

static void set_up_division(word *general)
{
    word kind = random() >> 8 & 7;

    if (kind < 2)
        return;
    general[EDX] = kind < 4 ? 0 : (int)general[EAX] >> 31;
    if (kind == 2)
        general[EAX] &= 0x3fff;
    if (kind == 6)
        general[ECX] |= 0x80808080, general[EDX] = random() >> 8 & 63;
    *(word *)general[EBX] = general[ECX];
}

static void set_up_string(word *general)
{
    word bits = random() >> 4;

    if (bits & 1)
        for (int i = 0; i < OPERAND_WORDS; i++)
            operand[i] = bits & 2 ? 0x41414141 : 0;
    if (bits & 4)
        ((byte *)operand)[80 + (bits >> 8 & 15)] ^= 1;
    general[ESI] = (word)operand + 80 + (bits >> 12 & 15);
    general[EDI] = (word)operand + 80 + (bits >> 16 & 15);
    general[ECX] = (bits >> 20) % 12;
    if (bits & 8)
        general[EAX] = operand[21];
}

static void set_up_range(word *general)
{
    short *words = (short *)general[EBX];
    int *dwords = (int *)general[EBX];
    word bits = random() >> 4;

    if (bits & 1)
        words[0] = (short)general[ECX] - (bits >> 4 & 7) + 1, words[1] = words[0] + (bits >> 8 & 15);
    else
        dwords[0] = general[ECX] - (bits >> 4 & 7) + 1, dwords[1] = dwords[0] + (bits >> 8 & 15);
}

static void set_up(word setup)
{
    static const word counters[] = {0, 1, 2, 3, 0x10000, 0x10001, 0xffff0000, 0x80000001};
    word *general = before.general;

    for (int i = 0; i < OPERAND_WORDS; i++)
        operand[i] = random();
    for (int i = 0; i < STACK_WORDS; i++)
        stack[i] = seed + i;
    for (int i = 0; i < REGISTERS; i++)
        general[i] = value();
    operand[4] = value();
    before.eflags = random() & (ALL & ~DF);
    general[ESP] = (word)&stack[STACK_USED];
    if (setup == ANYTHING)
        return;
    general[EBX] = (word)operand + 16 + (random() >> 8 & 7);
    general[ESI] = random() >> 8 & 3;
    switch (setup) {
    case STRING:
        before.eflags |= random() & DF;
        set_up_string(general);
        break;
    case COUNT:
        if (random() & 0x1000)
            general[ECX] = (general[ECX] & ~0xff) | (random() >> 8 & 0x3f);
        break;
    case COUNT16:
        general[ECX] = (general[ECX] & ~0x1f) | (random() >> 8) % 17;
        break;
    case BITS:
        general[ECX] = (random() >> 8 & 511) - 256;
        break;
    case DIVIDE:
        set_up_division(general);
        break;
    case SPARSE:
        general[ECX] = random() & 0x100 ? 1u << (general[ECX] & 31) : 0;
        *(word *)general[EBX] = random() & 0x100 ? general[ECX] << 1 : 0;
        break;
    case COUNTER:
        general[ECX] = counters[random() >> 8 & 7];
        break;
    case COMPARE:
        if (random() & 0x100) {
            ((word *)general[EBX])[0] = general[ECX] = general[EAX];
            ((word *)general[EBX])[1] = general[EDX];
        }
        break;
    case FLAGS:
        stack[STACK_USED] = random() & (ALL | IF);
        break;
    case FRAME:
        general[EBP] = (word)&stack[STACK_USED - 4];
        break;
    case RANGE:
        set_up_range(general);
        break;
    }
}

/* The flags that a shift by this much defines. */
static word shift_mask(word mask)
{
    word kind = mask >> 16 & 3, bits = mask >> 8 & 0xff, count = mask & 0xff;
    word defined = ALL;

    count = (count == CL_COUNT ? before.general[ECX] : count) & 31;
    if (count == 0)
        return defined;
    if (count != 1)
        defined &= ~OF;
    if (kind != ROTATE)
        defined &= ~AF;
    if (kind == SHIFT && count >= bits)
        defined &= ~CF;
    return defined;
}

static word fold(word sum, const word *words, int count)
{
    for (int i = 0; i < count; i++)
        sum = (sum ^ words[i]) * 0x01000193;
    return sum ^ sum >> 16;
}

static void detail(const struct row *row, word mask)
{
    put_text("in ");
    for (int i = 0; i < REGISTERS; i++)
        put_hex(before.general[i]);
    put_hex(before.eflags);
    put_text("\nout");
    for (int i = 0; i < REGISTERS; i++)
        put_hex(after.general[i]);
    put_hex(after.eflags & mask);
    put_hex(after.exception);
    put_hex(after.error);
    put_hex(after.eip);
    put_text("; operand");
    for (int i = 0; i < OPERAND_WORDS; i++)
        put_hex(operand[i]);
    put_text("; stack");
    put_hex(fold(0, stack, STACK_WORDS));
    put('\n');
    (void)row;
}

static void run_block(word number, word block)
{
    const struct row *row = &table[number];
    word sum = 0;

    seed = (number * BLOCKS + block + 1) * 0x9e3779b1;
    for (int round = 0; round < ROUNDS; round++) {
        word mask;

        set_up(row->setup);
        mask = row->mask & 0x80000000 ? shift_mask(row->mask) : row->mask;
        code = row->code;
        after.exception = after.error = after.eip = 0;
        execute();
        after.eflags &= mask;
        sum = fold(sum, (const word *)&after, sizeof after / sizeof(word));
        sum = fold(sum, operand, OPERAND_WORDS);
        sum = fold(sum, stack, STACK_WORDS);
#ifdef DETAIL_ROW
        detail(row, mask);
#endif
    }
    put_text(row->name);
    put_text(", block");
    put(' ');
    put('0' + block);
    put(':');
    put_hex(sum);
    put('\n');
}

void program(void)
{
    catch_signals();
#ifdef DETAIL_ROW
    run_block(DETAIL_ROW, DETAIL_BLOCK);
#else
    (void)detail;
    for (word number = 0; table[number].name; number++)
        for (word block = 0; block < BLOCKS; block++)
            run_block(number, block);
#endif
    flush();
    system_call(SYS_EXIT, 0, 0, 0, 0);
}
