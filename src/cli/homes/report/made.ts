/** When and by what a report was made. */
export interface Made {
  atMs: number
  holdfast: string
  /** `linux x64, Node 24.21.0` */
  by: string
}
