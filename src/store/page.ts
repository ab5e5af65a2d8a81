export interface Page<T> {
  items: T[]
  /** Give it back as `after` for the next page; null at the end. */
  next: string | null
}
