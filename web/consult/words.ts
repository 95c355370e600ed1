/** The call page's words. */
export const words = {
  title: ['Khám từ xa', 'Remote consultation'],
  noLink: ['Đường dẫn này thiếu lời mời', 'This address carries no invitation'],
  noLinkText: [
    'Mở cuộc khám từ danh sách của bạn, hoặc xin cơ sở gửi lại đường dẫn.',
    'Open the consultation from your list, or ask the facility for a new link.',
  ],
} as const
