/** Whether two values say the same; what is not there is nothing. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const of = (value: object, name: string) => (value as Record<string, unknown>)[name];
  return [...names].every((name) => same(of(a, name), of(b, name)));
}
