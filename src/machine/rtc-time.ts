/**
 * The time registers of the MC146818: how a date stands in them, in BCD or binary, with 12 or 24 hours.
 *
 * MC146818 data sheet, "Time, calendar, and alarm locations"; the century as PCs keep it in byte 32h.
 */
import { type CivilTime, unixSeconds } from './civil-time.js';

const SECOND = 0x00;
const MINUTE = 0x02;
const HOUR = 0x04;
const WEEKDAY = 0x06;
const DAY = 0x07;
const MONTH = 0x08;
const YEAR = 0x09;
const CENTURY = 0x32;

/** The registers that hold the time of day and the date. */
export const TIME_REGISTERS = [SECOND, MINUTE, HOUR, WEEKDAY, DAY, MONTH, YEAR, CENTURY] as const;

const HOUR_PM = 0x80;

/** What register B chooses. */
export interface TimeFormat {
  readonly isBinary: boolean;
  readonly has24Hours: boolean;
}

/**
 * What a time register holds.
 * @param weekday 0 to 6; the clock counts the days of the week by themselves.
 */
export function encodeTime(
  register: number,
  time: CivilTime,
  weekday: number,
  format: TimeFormat,
): number {
  const encode = (value: number): number =>
    format.isBinary ? value : (Math.trunc(value / 10) << 4) | (value % 10);
  switch (register) {
    case SECOND:
      return encode(time.second);
    case MINUTE:
      return encode(time.minute);
    case HOUR:
      if (format.has24Hours) return encode(time.hour);
      return encode(time.hour % 12 === 0 ? 12 : time.hour % 12) | (time.hour >= 12 ? HOUR_PM : 0);
    case WEEKDAY:
      return encode(weekday + 1);
    case DAY:
      return encode(time.day);
    case MONTH:
      return encode(time.month);
    case YEAR:
      return encode(((time.year % 100) + 100) % 100);
    default:
      return encode(Math.floor(time.year / 100) & 0x7f);
  }
}

/** What the registers say, whatever was written to them: Unix seconds, and the day of the week from 0. */
export function decodeTime(
  registers: Uint8Array,
  format: TimeFormat,
): { readonly seconds: number; readonly weekday: number } {
  const decode = (byte: number): number =>
    format.isBinary ? byte : (byte >> 4) * 10 + (byte & 15);
  const hour = registers[HOUR];
  const seconds = unixSeconds({
    year: decode(registers[CENTURY]) * 100 + decode(registers[YEAR]),
    month: decode(registers[MONTH]),
    day: decode(registers[DAY]),
    hour: format.has24Hours
      ? decode(hour)
      : (decode(hour & ~HOUR_PM) % 12) + (hour & HOUR_PM ? 12 : 0),
    minute: decode(registers[MINUTE]),
    second: decode(registers[SECOND]),
  });
  return { seconds, weekday: decode(registers[WEEKDAY]) - 1 };
}
