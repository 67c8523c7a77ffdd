import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { describeError, fileError, oneLine } from '../../src/cli/errors.js';
import { UserError } from '../../src/machine/user-error.js';

describe('describeError', () => {
  test("a user's error is one line and status 1", () => {
    const ending = describeError(new UserError('k.elf: not an i386 image; build with -m32'), false);
    expect(ending).toEqual({
      status: 1,
      message: 'holdoff: k.elf: not an i386 image; build with -m32\n',
    });
  });

  test('a bug is one line that says how to report it, and no stack', () => {
    const { status, message } = describeError(new TypeError('x is\nnot a function'), false);
    expect(status).toBe(1);
    expect(message).toMatch(/^holdoff: TypeError: x is\\nnot a function; .*HOLDOFF_DEBUG=1\n$/);
  });

  test('debugging shows the stack below the line', () => {
    expect(describeError(new Error('oops'), true).message).toMatch(/\n {4}at /);
  });

  test('help that was asked for is a success, a wrong argument is not, and both are printed already', () => {
    const help = new CommanderError(0, 'commander.helpDisplayed', '');
    const wrong = new CommanderError(1, 'commander.unknownOption', '');
    expect(describeError(help, false)).toEqual({ status: 0, message: '' });
    expect(describeError(wrong, false)).toEqual({ status: 1, message: '' });
  });

  test('what is thrown needs not be an Error', () => {
    expect(describeError('odd', false).message).toMatch(/^holdoff: odd; /);
  });
});

describe('fileError', () => {
  const failure = (code: string): Error => Object.assign(new Error('failed'), { code });

  test('names the action, the file, the reason and what to do', () => {
    const error = fileError('read', 'k.elf', failure('ENOENT'));
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toBe('cannot read k.elf: no such file; check the path');
  });

  test('a code without a text of its own is named', () => {
    expect((fileError('read', 'k.elf', failure('EIO')) as Error).message).toContain('EIO');
  });

  test('a bug stays a bug', () => {
    const bug = new TypeError('path must be a string');
    expect(fileError('read', 'k.elf', bug)).toBe(bug);
  });
});

test('a line from a file can neither break the line nor steer the terminal', () => {
  expect(oneLine('a\nb\x1b[31m\x7f')).toBe('a\\nb\\x1b[31m\\x7f');
});
