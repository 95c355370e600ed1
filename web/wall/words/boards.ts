export const boardWords = {
  boards: ['Bảng điều khiển', 'Dashboards'],
  panelUnknown: ['Chưa có loại ô “{name}”', 'There is no panel “{name}”'],
  panelUnknownText: [
    'Bảng này dùng một loại ô mà bản cài đặt này không có. Xoá ô, hoặc nâng cấp.',
    'This dashboard uses a panel that this installation does not have. Remove it, or upgrade.',
  ],
  panelFailed: ['Không mở được ô này', 'This panel could not be opened'],
  panelFailedText: [
    'Phần chương trình của ô chưa tải được. Kiểm tra đường truyền rồi tải lại trang.',
    'Its program could not be loaded. Check the connection, then reload the page.',
  ],
  panelBroken: [
    'Ô gặp lỗi với số liệu hoặc cấu hình hiện tại. Thử lại, hoặc sửa cấu hình.',
    'It failed on its data or settings. Try again, or change its settings.',
  ],
  panelEmpty: [
    'Chưa có số liệu. Chọn chuỗi số liệu hoặc đại lượng trong cấu hình của ô.',
    'No data yet. Choose Datastreams or a property in its settings.',
  ],
} as const
