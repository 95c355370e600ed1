/** The words that every page shares. */
export const common = {
  language: ['Ngôn ngữ', 'Language'],
  theme: ['Giao diện', 'Theme'],
  light: ['Sáng', 'Light'],
  dark: ['Tối', 'Dark'],
  contrast: ['Tương phản', 'Contrast'],
  close: ['Đóng', 'Close'],
  cancel: ['Huỷ', 'Cancel'],
  retry: ['Thử lại', 'Try again'],
  reload: ['Tải lại trang', 'Reload the page'],
  yes: ['Có', 'Yes'],
  no: ['Không', 'No'],
} as const
