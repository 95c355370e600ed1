export const serviceWords = {
  services: ['Lĩnh vực', 'City services'],
  noServices: ['Máy chủ này không có lĩnh vực nào', 'This server has no city services'],
  noService: ['Máy chủ này không có lĩnh vực “{name}”', 'This server has no service “{name}”'],
  noPage: ['Lĩnh vực “{name}” chưa có trang ở đây', 'The service “{name}” has no page here'],
  noPageText: [
    'Số đo của nó có ở Tổng quan và Biểu đồ. Trang riêng là thư mục web/services/{folder}.',
    'What it measures is on the overview and in the charts. A page of its own is the folder web/services/{folder}.',
  ],
  noServicesText: [
    'Mỗi lĩnh vực là một thư mục của services/domains, với trang của nó ở web/services.',
    'A service is a folder of services/domains, with its page in web/services.',
  ],
} as const
