/** Unix seconds to a date of the proleptic Gregorian calendar and back, in UTC, for any whole number. */

export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

const DAY_SECONDS = 86400;
/** Days in 400 years, and from 0000-03-01 to 1970-01-01. */
const ERA_DAYS = 146097;
const EPOCH_DAYS = 719468;

/** The date and time of day. Years are counted from March here, so that a leap day comes last. */
export function civilTime(unixSeconds: number): CivilTime {
  const days = Math.floor(unixSeconds / DAY_SECONDS);
  const seconds = unixSeconds - days * DAY_SECONDS;
  const fromEra = days + EPOCH_DAYS;
  const era = Math.floor(fromEra / ERA_DAYS);
  const dayOfEra = fromEra - era * ERA_DAYS;
  const yearOfEra = Math.trunc(
    (dayOfEra -
      Math.trunc(dayOfEra / 1460) +
      Math.trunc(dayOfEra / 36524) -
      Math.trunc(dayOfEra / (ERA_DAYS - 1))) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100));
  const monthFromMarch = Math.trunc((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.trunc((153 * monthFromMarch + 2) / 5) + 1,
    hour: Math.trunc(seconds / 3600),
    minute: Math.trunc(seconds / 60) % 60,
    second: seconds % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
  };
}

/** Unix seconds of a date. Fields out of range carry over; a month is taken modulo 12. */
export function unixSeconds(time: Omit<CivilTime, 'weekday'>): number {
  const month = ((((time.month - 1) % 12) + 12) % 12) + 1;
  const year = month <= 2 ? time.year - 1 : time.year;
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const dayOfYear = Math.trunc((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + time.day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100) + dayOfYear;
  const days = era * ERA_DAYS + dayOfEra - EPOCH_DAYS;
  return days * DAY_SECONDS + time.hour * 3600 + time.minute * 60 + time.second;
}
