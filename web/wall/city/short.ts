/** Names without the words that all of them begin with: "Trạm thuỷ văn Chã", "Trạm thuỷ văn Chợ Mới" are Chã and Chợ Mới.
 *  They stay where one would be empty or but a number. Pure. */
export function short(names: readonly string[]): string[] {
  const words = names.map((name) => name.split(' '))
  let n = 0
  while (words.length > 1 && words.every((one) => one.length > n + 1 && one[n] === words[0]![n])) n++
  const left = words.map((one) => one.slice(n).join(' '))
  return left.every((one) => /^\p{L}/u.test(one)) ? left : [...names]
}
